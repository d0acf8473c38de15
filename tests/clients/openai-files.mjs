// OpenAI's own client against a running server: files, and files in parts. BASE_URL and API_KEY say whom it calls, CLIENT_MODULES
// is the node_modules with openai. A line for each check: "name ok" or "name FAIL reason".
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { BASE_URL: base, API_KEY: apiKey, CLIENT_MODULES: modules } = process.env;
const { default: OpenAI, toFile } = await import(pathToFileURL(createRequire(join(modules, "from-here.js")).resolve("openai")));
const client = new OpenAI({ apiKey, baseURL: `${base}/v1`, maxRetries: 0 });
const rows = Array.from({ length: 50 }, (_, i) => JSON.stringify({ prompt: `p${i}`, completion: "ü" })).join("\n");

const checks = {
  "files.whole_life": async () => {
    const file = await client.files.create({ file: await toFile(Buffer.from(rows), "rows.jsonl"), purpose: "fine-tune" });
    assert.equal(file.bytes, Buffer.byteLength(rows));
    assert.deepEqual(await client.files.retrieve(file.id), file);
    assert.equal(await (await client.files.content(file.id)).text(), rows);
    assert.equal((await client.files.delete(file.id)).deleted, true);
    await assert.rejects(client.files.retrieve(file.id), error => error instanceof OpenAI.NotFoundError);
  },
  "files.expiry": async () => {
    const file = await client.files.create({ file: await toFile(Buffer.from(rows), "rows.jsonl"), purpose: "batch", expires_after: { anchor: "created_at", seconds: 7200 } });
    assert.equal(file.expires_at - file.created_at, 7200);
  },
  "files.pages": async () => {
    const ids = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await client.files.create({ file: await toFile(Buffer.from(`${i}`), `${i}.txt`), purpose: "evals" })).id);
    }
    const found = [];
    for await (const file of client.files.list({ purpose: "evals", limit: 2, order: "asc" })) {
      found.push(file.id);
    }
    assert.deepEqual(found.filter(id => ids.includes(id)), ids);
  },
  "files.wrong_purpose": async () => {
    const file = await toFile(Buffer.from(rows), "rows.jsonl");
    await assert.rejects(client.files.create({ file, purpose: "everything" }), error => error instanceof OpenAI.BadRequestError && error.param === "purpose");
  },
  "uploads.in_parts": async () => {
    const content = Buffer.from(rows.repeat(1000));
    const upload = await client.uploads.create({ filename: "large.jsonl", purpose: "fine-tune", bytes: content.length, mime_type: "text/jsonl" });
    const half = content.length >> 1;
    const second = await client.uploads.parts.create(upload.id, { data: await toFile(content.subarray(half), "part") });
    const first = await client.uploads.parts.create(upload.id, { data: await toFile(content.subarray(0, half), "part") });
    const done = await client.uploads.complete(upload.id, { part_ids: [first.id, second.id] });
    assert.equal(done.status, "completed");
    assert.ok(Buffer.from(await (await client.files.content(done.file.id)).arrayBuffer()).equals(content));
  },
  "uploads.cancel": async () => {
    const upload = await client.uploads.create({ filename: "x", purpose: "batch", bytes: 3, mime_type: "text/plain" });
    assert.equal((await client.uploads.cancel(upload.id)).status, "cancelled");
  },
};

const only = new RegExp(process.env.ONLY ?? ".");
for (const [name, check] of Object.entries(checks)) {
  if (!only.test(name)) {
    console.log(`${name} skip by filter`);
    continue;
  }
  try {
    await check();
    console.log(`${name} ok`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`${name} FAIL ${String(error.message).replace(/\s+/g, " ").slice(0, 300)}`);
  }
}
