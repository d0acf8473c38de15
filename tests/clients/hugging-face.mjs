// Hugging Face's own client against a running server: what it calls of a text-generation-inference, whole and streamed, and of
// the routes under a model's path. BASE_URL, API_KEY and MODEL say whom it calls, CLIENT_MODULES is the node_modules with
// @huggingface/inference. A line for each check: "name ok" or "name FAIL reason".
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { BASE_URL: base, API_KEY: accessToken, MODEL: model = "starter", CLIENT_MODULES: modules } = process.env;
const { InferenceClient } = await import(pathToFileURL(createRequire(join(modules, "from-here.js")).resolve("@huggingface/inference")));
const client = new InferenceClient(accessToken);
const inputs = "Once upon a time";
const whole = async stream => {
  const items = [];
  for await (const item of stream) {
    items.push(item);
  }
  return items;
};

/** What both APIs must agree on: the greedy text of so many tokens. */
async function greedy(tokens) {
  const answer = await fetch(`${base}/v1/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({ model, prompt: inputs, max_tokens: tokens, temperature: 0 }),
  });
  return (await answer.json()).choices[0].text;
}

const checks = {
  "tgi.generate": async () => {
    const reply = await client.request({ endpointUrl: `${base}/generate`, inputs, parameters: { max_new_tokens: 12, details: true } });
    assert.equal(reply.generated_text, await greedy(12));
    assert.equal(reply.details.generated_tokens, 12);
    assert.equal(reply.details.tokens.map(token => token.text).join(""), reply.generated_text);
  },
  "tgi.generate_stream": async () => {
    const items = await whole(client.streamingRequest({ endpointUrl: `${base}/generate_stream`, inputs, parameters: { max_new_tokens: 12, details: true } }));
    assert.equal(items.length, 12);
    assert.equal(items.at(-1).generated_text, await greedy(12));
    assert.equal(items.filter(item => !item.token.special).map(item => item.token.text).join(""), items.at(-1).generated_text);
    assert.equal(items.at(-1).details.finish_reason, "length");
    assert.ok(items.slice(0, -1).every(item => item.generated_text === null && item.details === null));
  },
  "tgi.error": () => assert.rejects(
    client.request({ endpointUrl: `${base}/generate`, inputs, parameters: { temperature: 0 } }),
    error => error.httpResponse.status === 422 && error.httpResponse.body.error_type === "validation" && /temperature/.test(error.message)),
  "tgi.error_stream": () => assert.rejects(
    whole(client.streamingRequest({ endpointUrl: `${base}/generate_stream`, inputs, parameters: { best_of: 2, do_sample: true } })),
    error => error.httpResponse.status === 422 && /best_of/.test(error.message)),
  "tgi.one_address": async () => {
    const endpointUrl = `${base}/models/${model}`;
    const [reply] = await client.request({ endpointUrl, inputs, parameters: { max_new_tokens: 12, return_full_text: false } });
    assert.equal(reply.generated_text, await greedy(12));
    const items = await whole(client.streamingRequest({ endpointUrl, inputs, parameters: { max_new_tokens: 12 } }));
    assert.equal(items.at(-1).generated_text, await greedy(12));
  },
  "textGeneration": async () => {
    const reply = await client.textGeneration({ endpointUrl: `${base}/v1`, model, inputs, parameters: { max_new_tokens: 12, temperature: 0 } });
    assert.equal(reply.generated_text, await greedy(12));
  },
  "chatCompletion": async () => {
    const reply = await client.chatCompletion({ endpointUrl: `${base}/v1`, model, messages: [{ role: "user", content: inputs }], max_tokens: 8 });
    assert.ok(reply.choices[0].message.content.length > 0);
  },
};

const only = new RegExp(process.env.ONLY ?? ".");
console.warn = () => {}; // the client says at each custom call that it will drop it
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  if (!only.test(name)) {
    console.log(`${name} skip by filter`);
    continue;
  }
  try {
    await check();
    console.log(`${name} ok`);
  } catch (error) {
    failed++;
    console.log(`${name} FAIL ${String(error.message).replace(/\s+/g, " ").slice(0, 300)}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
