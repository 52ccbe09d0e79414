'use strict';

// Shows the tickets of one station of the kitchen. Gets a number for each from `orders`, and adds
// the name of the machine that shows it.

const { createServer } = require('node:http');
const { hostname } = require('node:os');

const tickets = new Map();

async function answer(request) {
  const [, page, number] = request.url.split('/');
  if (page !== 'tickets') return [404, { error: 'no such page' }];
  if (request.method === 'POST') {
    let body = '';
    for await (const part of request) body += part;
    const reply = await fetch('http://orders:3001/orders', { method: 'POST', body });
    const ticket = { ...(await reply.json()), shownBy: hostname() };
    tickets.set(String(ticket.order), ticket);
    return [201, ticket];
  }
  const ticket = tickets.get(number);
  return ticket ? [200, ticket] : [404, { error: 'no such ticket' }];
}

const server = createServer(async (request, response) => {
  let status, body;
  try {
    [status, body] = await answer(request);
  } catch (error) {
    [status, body] = [503, { error: `${error.message}: ${error.cause?.message ?? ''}` }];
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(3002, () => console.log(`display: open, as process ${process.pid}`));
process.on('SIGTERM', () => process.exit(0));
