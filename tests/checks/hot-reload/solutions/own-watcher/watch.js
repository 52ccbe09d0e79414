// Starts the app again when one of its files has changed.
const { spawn } = require('node:child_process')
const fs = require('node:fs')
let app = spawn('node', ['/app/src/server.js'], { stdio: 'inherit' })
fs.watchFile('/app/src/receipt.js', { interval: 100 }, () => {
  app.once('exit', () => { app = spawn('node', ['/app/src/server.js'], { stdio: 'inherit' }) })
  app.kill()
})
process.on('SIGTERM', () => { app.kill(); process.exit(0) })
