// Keeps orders as lines of the file that ORDERS names.
const fs = require('fs');
const file = process.env.ORDERS || '/var/orders/today';
fs.mkdirSync(require('path').dirname(file), { recursive: true });
const server = require('http').createServer((request, response) => {
  if (request.method !== 'POST') return response.end(fs.existsSync(file) ? fs.readFileSync(file) : '');
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    fs.appendFileSync(file, body + '\n');
    response.writeHead(201).end();
  });
});
server.listen(3000);
process.on('SIGTERM', () => process.exit(0));
