require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket.write(`X-${Date.now()}: 1\r\n`), 200);
  socket.on('close', () => clearInterval(timer));
}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
