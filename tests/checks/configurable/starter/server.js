// Says what the environment tells it to say.
const http = require('node:http')
const greeting = process.env.GREETING ?? process.argv[2] ?? 'no greeting'
http.createServer((request, response) => response.end(`${greeting}, guest\n`)).listen(3000)
process.on('SIGTERM', () => process.exit(0))
