'use strict';

// The till: takes payments, and tells accounts.js at midnight what it has taken.

const { createServer } = require('node:http');

// The receipts of this year: 40 MiB, and no more than that.
const receipts = Buffer.alloc(40 * 2 ** 20, 1);
const payments = [];

async function pay(request) {
  let text = '';
  for await (const part of request) text += part;
  const { table, cents } = JSON.parse(text);
  payments.push(cents);
  return { number: payments.length, table, cents };
}

function day() {
  return { payments: payments.length, cents: payments.reduce((sum, one) => sum + one, 0), receipts: receipts.length };
}

createServer(async (request, response) => {
  const send = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  try {
    if (request.method === 'POST' && request.url === '/payments') send(201, await pay(request));
    else if (request.url === '/payments') send(200, day());
    else if (request.url === '/health') send(200, { status: 'ok' });
    else send(404, { error: 'no such page' });
  } catch (error) {
    send(400, { error: error.message });
  }
}).listen(3000, () => console.log('the till is open'));

process.on('SIGTERM', () => process.exit(0));
