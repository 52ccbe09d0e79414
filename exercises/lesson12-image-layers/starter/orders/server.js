'use strict';

// Takes orders. An order is taken from the card of this edition only, since prices change with it.
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const path = require('node:path');

const app = path.join(__dirname, '..');
const menu = process.env.MENU_URL ?? 'http://menu:3000';

let edition;
try {
  readFileSync(path.join(app, 'house/letterhead.txt'));
  readFileSync(path.join(app, 'house/type.bin'));
  ({ edition } = JSON.parse(readFileSync(path.join(app, 'house/edition.json'), 'utf8')));
} catch (error) {
  console.error(`orders: cannot print slips: ${error.message}`);
  process.exit(4);
}

let last = 0;

async function take(body) {
  const { dish } = JSON.parse(body);
  const card = await (await fetch(`${menu}/card`)).json();
  if (card.edition !== edition) {
    return [409, { error: `the card is edition ${card.edition}, the slips are edition ${edition}` }];
  }
  if (!(dish in card.dishes)) return [404, { error: `${dish} is not on the card` }];
  last += 1;
  return [201, { number: last, dish, cents: card.dishes[dish], edition }];
}

createServer((request, response) => {
  const answer = (status, value) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (request.method !== 'POST' || request.url !== '/orders') {
    answer(404, { error: 'orders are taken by POST /orders' });
    return;
  }
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => take(body).then(
    ([status, value]) => answer(status, value),
    (error) => answer(502, { error: `the menu does not answer: ${error.message}` }),
  ));
}).listen(3000, () => console.log(`orders: edition ${edition} is served on 3000`));

process.on('SIGTERM', () => process.exit(0));
