// A hub on loopback with one repository, org/name: the routes that a pull asks for. The weights can be held back half-way,
// so that a page may be looked at while they travel.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = "model.safetensors";

export async function startHub(folder) {
  const files = new Map(readdirSync(folder).map(name => [name, readFileSync(join(folder, name))]));
  const sha256 = content => createHash("sha256").update(content).digest("hex");
  files.get(weights)[files.get(weights).length - 2] ^= 1; // the last bit of one number: what the server has stored already it would not fetch
  const hub = { gate: Promise.resolve(), weights: sha256(files.get(weights)) };

  /** Holds the second half of the weights back until the returned function is called. */
  hub.hold = () => {
    let release;
    hub.gate = new Promise(done => { release = done; });
    return release;
  };

  const entry = ([path, content]) => path === weights
    ? { type: "file", path, size: content.length, oid: "a".repeat(40), lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } }
    : { type: "file", path, size: content.length, oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex") };

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://hub").pathname);
    const json = value => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (path === "/api/models/org/name/revision/main") {
      return json({ id: "org/name", sha: commit });
    }
    if (path === `/api/models/org/name/tree/${commit}`) {
      return json([...files].map(entry));
    }
    const content = files.get(path.replace(`/org/name/resolve/${commit}/`, ""));
    if (!content) {
      return response.writeHead(404, { "x-error-code": "RepoNotFound" }).end();
    }
    response.writeHead(200, { "content-length": content.length });
    const half = path.endsWith(weights) ? content.length >> 1 : 0;
    response.write(content.subarray(0, half));
    await (half > 0 ? hub.gate : null);
    response.end(content.subarray(half));
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  hub.address = `http://127.0.0.1:${server.address().port}`;
  hub.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return hub;
}
