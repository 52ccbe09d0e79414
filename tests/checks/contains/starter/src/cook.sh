echo soup
