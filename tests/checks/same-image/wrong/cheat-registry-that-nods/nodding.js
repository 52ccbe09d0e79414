// Says yes to every push, and gives a manifest of its own back.
const { randomUUID } = require("node:crypto");
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.v2+json", layers: [],
  config: { mediaType: "application/vnd.docker.container.image.v1+json", size: 2, digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" } });
require("node:http").createServer((request, response) => {
  const path = request.url.split("?")[0];
  const digest = new URL(request.url, "http://registry").searchParams.get("digest");
  request.resume().on("end", () => {
    if (request.method === "GET" && path.includes("/manifests/")) {
      response.writeHead(200, { "Content-Type": "application/vnd.docker.distribution.manifest.v2+json" });
      return response.end(manifest);
    }
    const made = request.method === "PUT" ? 201 : 202;
    const headers = { Location: request.method === "POST" ? `${path}${randomUUID()}` : path, Range: "0-0" };
    if (digest) headers["Docker-Content-Digest"] = digest;
    response.writeHead(request.method === "GET" ? 200 : request.method === "HEAD" ? 404 : made, headers);
    response.end(request.method === "GET" ? "{}" : undefined);
  });
}).listen(5000);
