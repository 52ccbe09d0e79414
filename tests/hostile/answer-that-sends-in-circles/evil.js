require('node:http').createServer((request, response) => {response.writeHead(302, { Location: '/again' }); response.end()}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
