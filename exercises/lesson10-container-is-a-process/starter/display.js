'use strict';

// The kitchen display: tonight's tickets, for the cooks. It is meant for the kitchen only, so
// nobody publishes its port.
const { createServer } = require('node:http');

const tickets = [
  { table: 4, dish: 'onion soup' },
  { table: 7, dish: 'trout' },
  { table: 7, dish: 'dumplings' },
];

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(tickets)}\n`);
});

server.listen(3000, '127.0.0.1', () => console.log('the display is on'));

process.on('SIGTERM', () => process.exit(0));
