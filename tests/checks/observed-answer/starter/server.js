require("node:http").createServer((request, response) => {
  response.end(request.url === "/order" ? JSON.stringify({ order: { number: {learner} } }) : "soup for {learner}\n");
}).listen(8080, () => console.log("order {learner} is ready"));
