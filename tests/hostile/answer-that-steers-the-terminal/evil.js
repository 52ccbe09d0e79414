console.log('\u001b]0;owned\u0007\u001b[2J\u001b[1;1HPASSED');
require('node:http').createServer((request, response) => {response.end('\u001b]0;owned\u0007\u001b[2J\u001b[1;1HPASSED')}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
