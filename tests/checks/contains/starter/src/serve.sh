echo please
