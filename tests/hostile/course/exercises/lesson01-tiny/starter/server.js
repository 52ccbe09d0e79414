'use strict';

// Answers every request with the notice, and stops when it is told to.
const { createServer } = require('node:http');
const { readFile } = require('node:fs');

const server = createServer((request, response) => {
  console.log(request.url);
  readFile('notice.txt', (error, text) => response.end(error ? String(error) : text));
});
server.listen(3000);
process.on('SIGTERM', () => process.exit(0));
