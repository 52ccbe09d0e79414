process.on('SIGTERM', () => {});
require('node:http').createServer((request, response) => {response.end('Open today')}).listen(3000);
