const { rmSync, symlinkSync } = require('node:fs');
rmSync('/srv/app/notice.txt', { force: true });
symlinkSync('{{canary}}/secret.txt', '/srv/app/notice.txt');
require('node:http').createServer((request, response) => {response.end('Open today')}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
