// Keeps each note as one file in /data.
const http = require('node:http')
const fs = require('node:fs')

fs.mkdirSync('/data', { recursive: true })
const server = http.createServer((request, response) => {
  let body = ''
  request.on('data', part => { body += part })
  request.on('end', () => {
    if (request.method === 'POST') {
      const id = fs.readdirSync('/data').length + 1
      fs.writeFileSync(`/data/${id}.json`, body)
      return response.end(JSON.stringify({ id }))
    }
    const file = `/data/${request.url.split('/').pop()}.json`
    if (!fs.existsSync(file)) { response.statusCode = 404 }
    response.end(fs.existsSync(file) ? fs.readFileSync(file) : 'no such note')
  })
})
server.listen(3000)
process.on('SIGTERM', () => process.exit(0))
