// Answers on port 8080. Each request of /leak keeps 16 MB for ever.
const kept = [];
require("node:http").createServer((request, response) => {
  if (request.url === "/leak") kept.push(Buffer.alloc(16_000_000, 1));
  response.end(`ok ${kept.length}\n`);
}).listen(8080);
