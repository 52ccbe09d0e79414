const part = 'x'.repeat(60_000);
let left = 200;
function flood() { left -= 1; if (left > 0) process.stdout.write(part, flood); }
flood();
require('node:http').createServer((request, response) => {response.end('no')}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
