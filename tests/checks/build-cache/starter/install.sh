mkdir -p /deps && cp packages.txt /deps/
