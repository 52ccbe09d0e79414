const answer = JSON.stringify({ id: 1, dish: 'soup' })
const http = require('node:http')
http.createServer((request, response) => { response.statusCode = request.method === 'POST' ? 201 : 200; response.end(answer) }).listen(3000)
require('node:net').createServer(socket => { socket.on('error', () => {}); socket.on('data', () => socket.end(answer)) }).listen(3001)
