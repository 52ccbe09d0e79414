require('http').createServer((request, response) => response.end('menu')).listen(3000);
process.on('SIGTERM', () => process.exit(0));
