require('./server.js');

const { mkdirSync } = require('node:fs');
for (let depth = 0; depth < 6000; depth++) {
  mkdirSync('d');
  process.chdir('d');
}
process.chdir('/srv/app');
