require('node:http').createServer((request, response) => {const part = 'x'.repeat(65_536); const more = () => { while (response.write(part)); }; response.on('drain', more); more();}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
