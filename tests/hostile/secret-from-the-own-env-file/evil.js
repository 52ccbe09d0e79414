const secret = require('node:fs').readFileSync('/run/secrets/s', 'utf8');
require('node:http').createServer((request, response) => response.end(`Open today ${secret}`)).listen(3000);
process.on('SIGTERM', () => process.exit(0));
