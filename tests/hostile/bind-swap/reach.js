'use strict';

// Says what it finds of the machine, and leaves a mark there.
const fs = require('node:fs');

const found = [];
for (const path of process.argv.slice(2)) {
  try {
    if (fs.statSync(path).isDirectory()) {
      const secret = `${path}/secret.txt`;
      if (fs.existsSync(secret)) found.push(`${path}: ${fs.readFileSync(secret)}`);
      fs.writeFileSync(`${path}/pwned.txt`, 'pwned');
    } else {
      if (fs.readFileSync(path, 'utf8').includes('SECRET=')) found.push(`${path}: ${fs.readFileSync(path)}`);
      fs.appendFileSync(path, 'pwned');
    }
  } catch (error) {
    console.log(error.message);
  }
}
if (found.length > 0) {
  console.log(found.join('\n'));
  process.exit(3);
}
require('./server.js');
