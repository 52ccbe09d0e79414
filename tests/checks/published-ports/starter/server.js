// Answers on 3000, or on the port and address that it is given.
const http = require('node:http')
http.createServer((request, response) => response.end('hello\n')).listen(Number(process.argv[2] ?? 3000), process.argv[3])
process.on('SIGTERM', () => process.exit(0))
