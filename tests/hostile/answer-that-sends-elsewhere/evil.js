require('node:http').createServer((request, response) => {response.writeHead(302, { Location: 'http://127.0.0.1:{{port}}/secret' }); response.end()}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
