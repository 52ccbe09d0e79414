'use strict';

// Shows the card of tonight, with the edition that it was printed in.
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const path = require('node:path');

const app = path.join(__dirname, '..');
const dishes = JSON.parse(readFileSync(path.join(app, 'menu/dishes.json'), 'utf8'));

let edition;
try {
  readFileSync(path.join(app, 'house/letterhead.txt'));
  readFileSync(path.join(app, 'house/type.bin'));
  ({ edition } = JSON.parse(readFileSync(path.join(app, 'house/edition.json'), 'utf8')));
} catch (error) {
  console.error(`menu: cannot print the card: ${error.message}`);
  process.exit(4);
}

createServer((request, response) => {
  const known = request.url === '/card';
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(known ? { edition, dishes } : { error: 'only /card is served' }));
}).listen(3000, () => console.log(`menu: edition ${edition} is served on 3000`));

process.on('SIGTERM', () => process.exit(0));
