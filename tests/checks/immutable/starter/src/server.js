// Shows the receipt as it was when the app was started.
const http = require('node:http')
const receipt = require('./receipt.js')
http.createServer((request, response) => response.end(`${receipt}\n`)).listen(3000)
process.on('SIGTERM', () => process.exit(0))
