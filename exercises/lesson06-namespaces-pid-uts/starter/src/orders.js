'use strict';

// Takes orders and numbers them. Each carries the name of the machine that took it, and a seal by
// which the payment service knows that it is genuine.

const { createHmac } = require('node:crypto');
const { createServer } = require('node:http');
const { hostname } = require('node:os');

const key = process.env.PAYMENTS_KEY;
if (!key) {
  console.error('orders: without PAYMENTS_KEY nobody could pay, so I do not open');
  process.exit(1);
}

let last = 0;

const server = createServer(async (request, response) => {
  if (request.method !== 'POST' || request.url !== '/orders') {
    response.writeHead(404).end();
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  last += 1;
  const seal = createHmac('sha256', key).update(String(last)).digest('hex').slice(0, 8);
  const order = { order: last, dish: JSON.parse(body).dish, takenBy: hostname(), seal };
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(order)}\n`);
});

server.listen(3001, () => console.log(`orders: open, as process ${process.pid}`));
process.on('SIGTERM', () => process.exit(0));
