// Logs each request to stdout, or to the file LOG_FILE.
const { appendFileSync } = require('fs');
const file = process.env.LOG_FILE;
const log = (line) => (file ? appendFileSync(file, line + '\n') : console.log(line));
const server = require('http').createServer((request, response) => {
  log(`${request.method} ${request.url}`);
  response.end('soup');
});
server.listen(3000);
process.on('SIGTERM', () => process.exit(0));
