// Listens on the port that it is given, on all addresses or the one that it is given.
const server = require('node:net').createServer(socket => {
  socket.on('error', () => {}) // a guest who leaves early
  socket.end('hello\n')
})
server.listen(Number(process.argv[2]), process.argv[3])
process.on('SIGTERM', () => process.exit(0))
