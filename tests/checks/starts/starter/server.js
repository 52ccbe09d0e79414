// Listens at once, and looks for its menu three seconds later, as a service with a slow start does.
const server = require('http').createServer((request, response) => response.end('soup'));
server.listen(3000);
setTimeout(() => {
  if (!process.env.MENU) {
    console.error('no MENU: there is nothing to serve');
    process.exit(3);
  }
}, 3000);
process.on('SIGTERM', () => process.exit(0));
