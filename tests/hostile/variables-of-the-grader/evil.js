require('node:http').createServer((request, response) => {response.end(`Open today ${process.env.HOSTILE_CANARY} ${process.env.COPY}`)}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
