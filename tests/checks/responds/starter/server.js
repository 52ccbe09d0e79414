// Takes orders by HTTP on 3000, tells them by HTTP and by plain text on 3001, keeps them in /tmp.
const http = require('node:http')
const net = require('node:net')
const fs = require('node:fs')
const order = id => fs.existsSync(`/tmp/order-${id}`) ? fs.readFileSync(`/tmp/order-${id}`, 'utf8') : undefined

http.createServer((request, response) => {
  let body = ''
  request.on('data', part => { body += part })
  request.on('end', () => {
    if (request.method === 'POST') {
      const id = Math.floor(Math.random() * 1e9)
      fs.writeFileSync(`/tmp/order-${id}`, body)
      response.statusCode = 201
      return response.end(JSON.stringify({ id }))
    }
    const found = order(request.url.split('/').pop())
    response.statusCode = found ? 200 : 404
    response.end(found ?? 'no such order')
  })
}).listen(3000)
net.createServer(socket => {
  socket.on('error', () => {})
  socket.write('Which order?\n')
  socket.on('data', line => socket.end(`${order(line.toString().trim().split(' ').pop())}\n`))
}).listen(3001)
process.on('SIGTERM', () => process.exit(0))
