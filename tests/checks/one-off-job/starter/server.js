// Serves the table that the migration has made.
const http = require('node:http')
const fs = require('node:fs')
const table = () => fs.existsSync('/data/table') ? fs.readFileSync('/data/table') : 'no table\n'
http.createServer((request, response) => response.end(table())).listen(3000)
fs.writeFileSync('/data/app-is-up', '')
process.on('SIGTERM', () => process.exit(0))
