'use strict';

// Looks for the process of the display, and says how it is: its number, its memory, and how many
// connections it holds open. Reads /proc, as `ps` and `top` do, and sees what the kernel shows there.

const { readdirSync, readFileSync, readlinkSync } = require('node:fs');
const { createServer } = require('node:http');

function processes() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function isDisplay(number) {
  try {
    const words = readFileSync(`/proc/${number}/cmdline`, 'utf8').split('\0');
    return words[0].endsWith('node') && words.some((word) => word.endsWith('display.js'));
  } catch {
    return false; // it has ended in the meantime
  }
}

function look() {
  const sees = processes().length;
  const number = processes().find(isDisplay);
  if (!number) return [503, { sees, display: null, why: 'no process that I see is the display' }];
  const status = readFileSync(`/proc/${number}/status`, 'utf8');
  const memoryKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  try {
    const files = readdirSync(`/proc/${number}/fd`).map((fd) => target(`/proc/${number}/fd/${fd}`));
    const connections = files.filter((file) => file.startsWith('socket:')).length;
    return [200, { sees, display: { number: Number(number), memoryKb, connections } }];
  } catch (error) {
    return [503, { sees, display: { number: Number(number), memoryKb, connections: null }, why: error.message }];
  }
}

// What a descriptor stands for; nothing when it was closed in the meantime.
function target(path) {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

const server = createServer((request, response) => {
  const [status, body] = look();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(3003, () => console.log(`lookout: open, as process ${process.pid}`));
process.on('SIGTERM', () => process.exit(0));
