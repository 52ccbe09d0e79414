const server = require('http').createServer((request, response) => response.end('soup'));
server.listen(3000);
process.on('SIGTERM', () => process.exit(0));
