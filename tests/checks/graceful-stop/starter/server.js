// Takes a payment in a second and a half. On SIGTERM: no new guests, and those who are in are served.
const server = require('http').createServer((request, response) => {
  request.resume();
  setTimeout(() => response.writeHead(201, { Connection: 'close' }).end('paid'), 1500);
});
server.listen(3000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
