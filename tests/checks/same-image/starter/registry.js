// As much of a registry (OCI distribution specification) as `docker push` and `docker pull` need.
const { createHash, randomUUID } = require("node:crypto");
const blobs = new Map();
const manifests = new Map();
const uploads = new Map();
const digestOf = (data) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

function answer(response, status, headers = {}, body = "") {
  response.writeHead(status, { "Docker-Distribution-Api-Version": "registry/2.0", ...headers });
  response.end(body);
}

function give(request, response, found) {
  if (!found) return answer(response, 404);
  const headers = { "Content-Type": found.type, "Content-Length": found.data.length, "Docker-Content-Digest": digestOf(found.data) };
  answer(response, 200, headers, request.method === "HEAD" ? undefined : found.data);
}

function handle(request, response, data) {
  const url = new URL(request.url, "http://registry");
  const [, name, kind, rest] = url.pathname.match(/^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/) ?? [];
  if (!name) return answer(response, 200);
  const reading = request.method === "GET" || request.method === "HEAD";
  if (kind === "manifests") {
    if (reading) return give(request, response, manifests.get(rest));
    const manifest = { data, type: request.headers["content-type"] };
    manifests.set(rest, manifest).set(digestOf(data), manifest);
    return answer(response, 201, { Location: url.pathname, "Docker-Content-Digest": digestOf(data) });
  }
  if (reading) return give(request, response, blobs.get(rest));
  const id = request.method === "POST" ? randomUUID() : rest.slice("uploads/".length);
  const so_far = Buffer.concat([uploads.get(id) ?? Buffer.alloc(0), data]);
  const digest = url.searchParams.get("digest");
  if (digest) {
    uploads.delete(id);
    if (digestOf(so_far) !== digest) return answer(response, 400);
    blobs.set(digest, { data: so_far, type: "application/octet-stream" });
    return answer(response, 201, { Location: `/v2/${name}/blobs/${digest}`, "Docker-Content-Digest": digest });
  }
  uploads.set(id, so_far);
  const range = `0-${Math.max(so_far.length - 1, 0)}`;
  answer(response, 202, { Location: `/v2/${name}/blobs/uploads/${id}`, Range: range, "Docker-Upload-UUID": id });
}

require("node:http").createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part)).on("end", () => handle(request, response, Buffer.concat(parts)));
}).listen(5000);
