'use strict';

// The till: takes payments, and does the accounts when the evening is over.

const { createServer } = require('node:http');

const RECEIPTS = 40 * 2 ** 20; // the receipts of this year, bytes
const LEDGER = 80 * 2 ** 20; // the sheet on which the accounts are worked out, bytes

const receipts = Buffer.alloc(RECEIPTS, 1);
const payments = [];
let ledger;

async function pay(request) {
  let text = '';
  for await (const part of request) text += part;
  const { table, cents } = JSON.parse(text);
  payments.push(cents);
  return { table, cents, number: payments.length };
}

// Works on one sheet that it keeps: memory grows once, by the size of the sheet, and not again.
function accounts() {
  ledger ??= Buffer.alloc(LEDGER, 2);
  receipts.copy(ledger);
  const cents = payments.reduce((sum, one) => sum + one, 0);
  return { payments: payments.length, cents, balanced: ledger[0] === receipts[0] };
}

createServer(async (request, response) => {
  const send = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  try {
    if (request.method === 'POST' && request.url === '/payments') send(201, await pay(request));
    else if (request.url === '/accounts') send(200, accounts());
    else if (request.url === '/health') send(200, { status: 'ok' });
    else send(404, { error: 'no such page' });
  } catch (error) {
    send(400, { error: error.message });
  }
}).listen(3000, () => console.log('the till is open'));

process.on('SIGTERM', () => process.exit(0));
