require('http').createServer((request, response) => response.end('orders')).listen(3001);
process.on('SIGTERM', () => process.exit(0));
