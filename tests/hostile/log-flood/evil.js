const line = 'flood '.repeat(10_000);
function flood() { process.stdout.write(line + '\n', flood); }
flood();
require('node:http').createServer((request, response) => {response.end('no')}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
