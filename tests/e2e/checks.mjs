// What a person does with the console, in a browser, on a new server.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { adminKey, open, patience, pictures, settled, signIn, startWire, visit } from "./world.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = ["/", "/console/models", "/console/models/starter", "/console/playground", "/console/jobs", "JOB", "RUNS", "/console/nodes", "/console/users", "/console/keys", "/console/account", "/console/train", "/console/evaluate", "/console/apps", "APP", "LOGIN"];

/** Each language, theme and width once; ALL_LOOKS=1 tries every combination of them. */
const looks = process.env.ALL_LOOKS
  ? ["en", "zh-Hans"].flatMap(language => ["light", "dark"].flatMap(theme => [1280, 390].map(width => [language, theme, width])))
  : [["en", "light", 1280], ["zh-Hans", "dark", 390]];

/** What a training has measured, step by step, as its events tell it; a loss that stayed the same was not measured again. */
async function losses(world, id) {
  const points = [];
  for (let after = ""; ;) {
    const { items, next } = (await world.api("GET", `/api/v1/jobs/${id}/events?limit=500${after}`)).body;
    for (const { metrics } of items) {
      if (metrics?.step !== undefined && metrics.loss !== undefined && metrics.loss !== points.at(-1)?.[1]) {
        points.push([metrics.step, metrics.loss]);
      }
    }
    if (!next) {
      return points;
    }
    after = `&after=${next}`;
  }
}

/** Whether a line is the drawing of these values, wherever its axes begin and end: to the right by steps, up by loss. */
function assertDrawn(line, measured) {
  assert.equal(line.length, measured.length);
  const share = (values, value) => (value - Math.min(...values)) / (Math.max(...values) - Math.min(...values));
  const [xs, ys, steps, values] = [line.map(p => p[0]), line.map(p => p[1]), measured.map(m => m[0]), measured.map(m => m[1])];
  for (let i = 0; i < line.length; i++) {
    assert.ok(Math.abs(share(xs, xs[i]) - share(steps, steps[i])) < 0.01, `point ${i} is drawn at ${xs[i]}, but its step is ${steps[i]}`);
    assert.ok(Math.abs(1 - share(ys, ys[i]) - share(values, values[i])) < 0.01, `point ${i} is drawn at ${ys[i]}, but its loss is ${values[i]}`);
  }
}

export const checks = [
  ["without a session each page leads to the sign-in", async world => {
    const page = await visit(world);
    for (const path of pages.filter(p => p.startsWith("/"))) {
      await page.goto(world.address + path);
      assert.match(page.url(), /\/login\?next=/, path);
    }
    await page.context().close();
  }],

  ["a wrong key is refused, a right one arrives at the page that was asked for, by keyboard alone", async world => {
    const page = await visit(world);
    await page.goto(`${world.address}/console/nodes`);
    await page.keyboard.type("llmos_sk_wrong");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=alert]");
    await page.fill("#key", "");
    await page.keyboard.type(adminKey);
    await page.keyboard.press("Enter");
    await settled(page);
    assert.equal(new URL(page.url()).pathname, "/console/nodes");
    await page.waitForSelector("td .chip.ready");
    await page.context().close();
  }],

  ["the overview counts what the API has, and begins with first steps", async world => {
    const page = await visit(world);
    await signIn(world, page);
    const models = (await world.api("GET", "/api/v1/models")).body.items.length;
    await page.waitForFunction(count => document.querySelector(".tile b")?.textContent === String(count), models);
    await page.click("text=Talk to a model");
    await page.waitForURL("**/console/playground");
    await page.context().close();
  }],

  ["a model is imported with its progress, and one that came from elsewhere appears by itself", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/models");
    await page.click("button:has-text('Import a model')");
    await page.fill("#import input >> nth=0", "file:/nowhere");
    await page.fill("#import input >> nth=1", "tales");
    await page.click("#import button[type=submit]");
    await page.waitForSelector("#import .mud-alert");
    await page.fill("#import input >> nth=0", `file:${join(world.imports, "tales")}`);
    await page.click("#import button[type=submit]");
    await page.waitForURL("**/console/models/tales");
    await page.waitForSelector("text=Version 1");
    await page.waitForSelector("dd:has-text('LlamaForCausalLM')");
    await page.waitForSelector("#lineage rect.root");
    await page.waitForSelector("#card .markdown");

    await open(world, page, "/console/models");
    const job = (await world.api("POST", "/api/v1/models/import", { source: `file:${join(world.imports, "tales")}`, name: "from-outside" })).body.job;
    assert.equal((await world.api("GET", `/api/v1/jobs/${job.id}?wait=60`)).body.state, "succeeded");
    await page.waitForSelector("td >> text=from-outside");
    await page.context().close();
  }],

  ["the playground streams with its rate, and the code it shows sends the same request", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/playground?model=starter");
    await page.click("button:has-text('Completion')");
    await page.fill("aside input >> nth=0", "60");
    await page.fill("aside input >> nth=1", "0");
    await page.click("button:has-text('Continue the text')");
    await page.waitForFunction(() => /\d+ prompt tokens, \d+ new tokens, [\d.]+ tokens\/s/.test(document.querySelector(".figures").textContent));
    const shown = await page.textContent(".turn.completion");
    const straight = (await world.api("POST", "/v1/completions", { model: "starter", prompt: "Once upon a time", max_tokens: 60, temperature: 0 })).body.choices[0].text;
    assert.equal(shown, straight);

    const curl = await page.textContent("pre.code");
    const answer = JSON.parse(execFileSync("bash", ["-c", curl], { env: { ...process.env, LLMOS_KEY: adminKey }, stdio: ["ignore", "pipe", "ignore"] }));
    assert.equal(answer.choices[0].text, straight);
    for (const [language, sign] of [["C#", "HttpClient"], ["Python", "from openai import OpenAI"], ["JavaScript", "import OpenAI"]]) {
      await page.click(`button:text-is("${language}")`);
      await page.waitForFunction(text => document.querySelector("pre.code").textContent.includes(text), sign);
    }
    const code = await page.textContent("pre.code");
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined })); // as over plain HTTP from another machine
    await page.click("button:has-text('Copy')");
    await page.waitForSelector("button:has-text('Copied')");
    await page.fill("textarea >> nth=0", "");
    await page.press("textarea >> nth=0", "Control+V");
    assert.equal((await page.inputValue("textarea >> nth=0")).trim(), code.trim());
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }],

  ["a conversation is answered, and stop ends it early", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/playground?model=starter");
    await page.fill("aside input >> nth=0", "20");
    await page.fill("section textarea", "Tell me of the 'fox' & \"bear\" <b>");
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction(() => /new tokens/.test(document.querySelector(".figures").textContent));
    assert.ok((await page.textContent(".turn.assistant")).length > 0);
    assert.equal(await page.textContent(".turn.user"), "Tell me of the 'fox' & \"bear\" <b>");

    await page.fill("aside input >> nth=0", "100000");
    await page.fill("section textarea", "And then?");
    await page.keyboard.press("Control+Enter");
    const stop = await page.waitForSelector("button:has-text('Stop')", { timeout: 20_000 }).catch(() => null);
    if (stop) {
      await stop.click().catch(() => {}); // it may have ended by itself meanwhile
    }
    await page.waitForSelector("button:has-text('Stop')", { state: "detached" });
    await page.context().close();
  }],

  ["two models answer side by side, and each token of a reply says how likely it was", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/playground?model=starter");
    await page.click("button:has-text('Completion')");
    await page.selectOption("label:has-text('Second model') select", "tales");
    await page.check("label:has-text('how likely') input");
    await page.fill("label:has-text('Max new tokens') input", "8");
    await page.fill("label:has(> span:text-is('Temperature')) input", "0");
    await page.click("button:has-text('Continue the text')");
    await page.waitForFunction(() => [...document.querySelectorAll(".figures")].filter(f => /new tokens/.test(f.textContent)).length === 2);
    const straight = (await world.api("POST", "/v1/completions", { model: "starter", prompt: "Once upon a time", max_tokens: 8, temperature: 0, logprobs: 3 })).body.choices[0];
    const replies = await page.$$eval(".turn.completion", turns => turns.map(turn => [...turn.querySelectorAll(".token")].map(token => token.textContent).join("")));
    assert.deepEqual(replies, [straight.text, straight.text]);
    await page.screenshot({ path: join(pictures, "side-by-side.png") });
    const likely = `${(Math.exp(straight.logprobs.token_logprobs[0]) * 100).toFixed(1)}`;
    assert.ok((await page.getAttribute(".token >> nth=0", "title")).includes(likely), `the first token is ${likely} % likely`);
    await page.context().close();
  }],

  ["a training is started, its curve moves, its model is evaluated, an alias promotes another, and that one answers", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/train");
    await page.fill("form input >> nth=0", "fresh");
    await page.fill("form input >> nth=1", `file:${join(world.imports, "text.txt")}`);
    await page.fill("label:has-text('Vocabulary') input", "300");
    // By the clock, so that there are about as many measurements on a fast machine as on a slow one.
    await page.selectOption("label:has(> span:text-is('How long')) select", "minutes");
    await page.fill("label:has(> span:text-is('Minutes')) input", "0.25");
    await page.click("button:has-text('Start training')");
    await page.waitForURL("**/console/jobs/job_*");
    world.job = new URL(page.url()).pathname;

    // The line gets longer while the job runs ...
    const drawn = () => page.$$eval("polyline.loss", ([line]) => line ? [...line.points].map(p => [p.x, p.y]) : []);
    const longer = length => page.waitForFunction(length => document.querySelector(".chip.running") && document.querySelector("polyline.loss")?.points.numberOfItems > length, length);
    const lengths = [0];
    for (let look = 0; look < 3; look++) {
      await longer(lengths.at(-1));
      lengths.push((await drawn()).length);
    }
    // ... and is at its end the history that the API tells.
    await page.waitForSelector(".chip.succeeded");
    const measured = await losses(world, world.job.split("/").at(-1));
    await page.waitForFunction(length => document.querySelector("polyline.loss").points.numberOfItems === length, measured.length);
    assert.ok(measured.length >= lengths.at(-1), `${measured.length} measurements, ${lengths} points`);
    assertDrawn(await drawn(), measured);

    // What it wrote on the way is what its log says.
    const log = (await world.api("GET", `/api/v1${world.job.replace("/console", "")}/logs`)).body.items.filter(line => line.code === "sample").map(line => line.arguments);
    assert.ok(log.length > 0, "a sample was written");
    await page.waitForFunction(count => document.querySelectorAll("#samples dd").length === count, log.length);
    assert.deepEqual(await page.$$eval("#samples dd", texts => texts.map(text => text.textContent)), log.map(sample => sample.prompt + sample.text).reverse());
    assert.equal(await page.textContent("#samples dt >> nth=0"), `Step ${log.at(-1).step}`);
    await page.click("text=fresh:1");
    await page.waitForURL("**/console/models/fresh");

    const second = (await world.api("POST", "/api/v1/models/import", { source: `file:${join(world.imports, "tales")}`, name: "fresh", alias: "candidate" })).body.job;
    assert.equal((await world.api("GET", `/api/v1/jobs/${second.id}?wait=60`)).body.result.ref, "fresh:2");
    await page.waitForSelector("text=Version 2");

    await open(world, page, "/console/evaluate?model=fresh:1");
    await page.selectOption("label:has-text('Compare with') select", "fresh:2");
    await page.fill("label:has(> span:text-is('Text')) input", `file:${join(world.imports, "text.txt")}`);
    await page.fill("label:has-text('Max tokens') input", "2000");
    await page.click("button:has-text('Start evaluation')");
    await page.waitForSelector("text=The two cut the text into different tokens.");
    const evaluations = (await world.api("GET", "/api/v1/jobs?kind=evaluation")).body.items;
    assert.equal(evaluations.length, 2);
    for (const listed of evaluations) {
      const evaluation = (await world.api("GET", `/api/v1/jobs/${listed.id}`)).body;
      await page.waitForSelector(`#results dd:text-is('${evaluation.result.perplexity.toFixed(3)}')`);
    }
    await page.click("button:has-text('Multiple choice')");
    await page.fill("form textarea", "this is no question");
    await page.click("button:has-text('Start evaluation')");
    await page.waitForSelector(".mud-alert:has-text('Line 1 is not a question')");
    await page.fill("form textarea", '{"context": "the small fox", "choices": ["went home", "equation of"], "answer": 0}\n{"context": "the red", "choices": ["of of of", "house"], "answer": 1}');
    await page.click("button:has-text('Start evaluation')");
    await page.waitForSelector("#comparison:has-text('over 2 rows')");
    await page.click("text=Promote a version");
    await page.waitForURL("**/console/models/fresh");
    await page.selectOption("select[aria-label='Version for the alias latest']", "2");
    await page.waitForSelector("text=The alias latest points at version 2 now.");
    assert.equal((await world.api("GET", "/api/v1/models/fresh")).body.aliases.latest, 2);

    await page.click("text=Try it in the playground");
    await page.waitForURL("**/console/playground?model=fresh");
    await settled(page);
    await page.click("button:has-text('Completion')");
    await page.fill("aside input >> nth=0", "8");
    await page.fill("aside input >> nth=1", "0");
    await page.click("button:has-text('Continue the text')");
    await page.waitForFunction(() => /new tokens/.test(document.querySelector(".figures").textContent));
    const straight = (await world.api("POST", "/v1/completions", { model: "fresh:2", prompt: "Once upon a time", max_tokens: 8, temperature: 0 })).body.choices[0].text;
    assert.equal(await page.textContent(".turn.completion"), straight);
    await page.context().close();
  }],

  ["a known model's source is chosen; one is pulled from the hub with bytes and time to go; a repository that is not there stands at its field", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/models");
    await page.click("button:has-text('Import a model')");
    const known = (await world.api("GET", "/api/v1/catalogue")).body.items;
    await page.waitForSelector("#catalogue");
    assert.deepEqual(await page.$$eval("#catalogue tbody th", cells => cells.map(cell => cell.firstChild.textContent)), known.map(entry => entry.name));
    await page.focus(`button[aria-label='Choose ${known[1].name}']`);
    await page.keyboard.press("Enter");
    await page.waitForFunction(source => document.querySelector("#import input").value === source, known[1].source);
    assert.equal(await page.inputValue("#import input >> nth=1"), known[1].name);

    await page.fill("#import input >> nth=0", "hf:org/other");
    await page.fill("#import input >> nth=1", "pulled");
    await page.click("#import button[type=submit]");
    await page.waitForSelector("#source-said.trouble:has-text(\"no 'org/other'\")");
    assert.equal(await page.getAttribute("#import input >> nth=0", "aria-invalid"), "true");
    await page.fill("#import input >> nth=0", "hf:org/name@");
    await page.click("#import button[type=submit]");
    await page.waitForSelector("#source-said.trouble:not(:has-text('org/other'))");

    const release = world.hub.hold();
    await page.fill("#import input >> nth=0", "hf:org/name");
    await page.click("#import button[type=submit]");
    await page.waitForFunction(() => /fetching model.safetensors: .+ of .+/.test(document.querySelector("#import .message")?.textContent));
    await page.waitForFunction(() => /^[1-7]\d% · .+\/s · .+ left$/.test(document.querySelector("#import .figures").textContent.replace(/\s*%/, "%").trim()));
    await page.screenshot({ path: join(pictures, "pull.png") });
    release();
    await page.waitForURL("**/console/models/pulled");
    const version = (await world.api("GET", "/api/v1/models/pulled/versions/1")).body;
    assert.equal(version.files.find(file => file.path === "model.safetensors").sha256, world.hub.weights);
    await page.context().close();
  }],

  ["two trainings are compared: both curves as the API tells them, what was set differently, a job that ends elsewhere", async world => {
    const start = async learning_rate => (await world.api("POST", "/api/v1/training", {
      name: "compared", text: `file:${join(world.imports, "text.txt")}`, tokenizer: { train: "bpe", vocabulary: 300 }, learning_rate,
      architecture: { type: "llama", layers: 1, hidden: 32, heads: 2, intermediate: 64, context: 64 }, budget: { minutes: 0.06 },
    })).body.job;
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/jobs");
    // Started elsewhere, they appear in the open list.
    const runs = [await start(0.003), await start(0.03)];
    for (const run of runs) {
      await page.focus(`tr:has(a[href$='${run.id}']) input[type=checkbox]`);
      await page.keyboard.press("Space");
    }
    await page.click("a:has-text('Compare runs (2)')");
    await page.waitForURL("**/console/jobs/compare?ids=*");
    world.runs = page.url().slice(world.address.length);
    // The page follows jobs that it did not start to their end.
    await page.waitForFunction(() => document.querySelectorAll("#runs .chip.succeeded").length === 2);
    const all = [];
    for (const run of runs) {
      all.push(await losses(world, run.id));
    }
    for (const [i, measured] of all.entries()) {
      await page.waitForFunction(([i, length]) => document.querySelector(`polyline.run-${i}`)?.points.numberOfItems === length, [i, measured.length]);
      assertDrawn(await page.$eval(`polyline.run-${i}`, line => [...line.points].map(p => [p.x, p.y])), measured);
    }
    const rows = Object.fromEntries(await page.$$eval("#runs tr", rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim())).map(([name, ...values]) => [name, values])));
    assert.deepEqual(rows["learning_rate"], ["0.003", "0.03"]);
    assert.ok(!("name" in rows) && !("architecture.layers" in rows), "what is equal is not listed");
    for (const [i, run] of runs.entries()) {
      assert.equal(rows["Training loss"][i], (await world.api("GET", `/api/v1/jobs/${run.id}`)).body.metrics.loss.toFixed(3));
    }
    await page.context().close();
  }],

  ["jobs are cancelled and retried from their page, and what is wrong with a request stands at its field", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/train");
    await page.fill("form input >> nth=0", "NOT A NAME");
    await page.fill("form input >> nth=1", `file:${join(world.imports, "text.txt")}`);
    await page.click("button:has-text('Start training')");
    await page.waitForSelector("small.trouble");
    await page.fill("form input >> nth=0", "long");
    await page.fill("label:has-text('Vocabulary') input", "300");
    await page.fill("label:has(> span:text-is('Steps')) input", "1000000");
    await page.click("button:has-text('Start training')");
    await page.waitForURL("**/console/jobs/job_*");
    await page.waitForSelector(".chip.running");
    await page.click("button:has-text('Cancel')");
    await page.waitForSelector(".chip.cancelled", { timeout: patience });
    await page.click("button:has-text('Retry')");
    await page.waitForSelector(".chip.running, .chip.queued");
    // Cancelled elsewhere, the open page says so.
    assert.equal((await world.api("POST", `/api/v1/jobs/${page.url().split("/").at(-1)}/cancel`)).status, 200);
    await page.waitForSelector(".chip.cancelled", { timeout: patience });
    await page.context().close();
  }],

  ["an app is made from a template, shows its key once, answers a visitor in their language, and is deleted at the second press", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/apps");
    await page.click("button:has-text('Use this template') >> nth=0");
    await page.fill("form input >> nth=0", "my-stories");
    await page.click("button:has-text('Make the app')");
    const key = await page.textContent(".mud-alert code");
    assert.match(key, /^llmos_sk_/);
    assert.equal((await world.api("GET", "/api/v1/apps/my-stories")).status, 200);
    const opening = "Once upon a time there was a king who had";
    const visitor = await visit(world, { locale: "zh-CN" });
    await visitor.goto(`${world.address}/apps/my-stories`);
    assert.equal(await visitor.textContent("h1"), "故事续写");
    await visitor.fill("#key", "not-the-key");
    await visitor.fill("#input-opening", opening);
    await visitor.fill("#input-length", "40");
    await visitor.click("#go");
    await visitor.waitForSelector("#problem:has-text('此密钥不属于该应用。')");
    await visitor.fill("#key", key);
    await visitor.press("#key", "Enter");
    await visitor.waitForSelector("#go:enabled");
    assert.match(await visitor.textContent("#output"), /^Once upon a time there was a king who had \S+ \S+/);
    assert.deepEqual(visitor.foreign, []);
    await visitor.context().close();
    await page.click("button[aria-label='Delete the app my-stories']");
    await page.waitForSelector("text=Delete for good?");
    await page.click("button[aria-label='Delete the app my-stories']");
    await page.waitForSelector("td:has-text('my-stories')", { state: "detached" });
    assert.equal((await world.api("GET", "/api/v1/apps/my-stories")).status, 404);
    await page.context().close();
  }],

  ["who may only look sees everything and changes nothing, and a revoked key ends the session", async world => {
    const made = (await world.api("POST", "/api/v1/keys", { name: "looker", scopes: ["read"] })).body;
    const page = await visit(world);
    await signIn(world, page, made.key, "/console/models");
    await page.waitForSelector("td >> text=starter");
    await page.click("button:has-text('Import a model')");
    await page.fill("#import input >> nth=0", `file:${join(world.imports, "tales")}`);
    await page.fill("#import input >> nth=1", "forbidden");
    await page.click("#import button[type=submit]");
    await page.waitForSelector("#import .mud-alert:has-text('may not POST')");
    assert.equal((await world.api("GET", "/api/v1/models/forbidden")).status, 404);

    assert.ok((await world.api("DELETE", `/api/v1/keys/${made.id}`)).status < 300);
    await page.waitForSelector(".mud-alert:has-text('revoked')");
    await page.goto(`${world.address}/console/jobs`);
    assert.match(page.url(), /\/login/);
    await page.context().close();
  }],

  ["an admin makes a key that is shown once, works with its rights, and ends when it is revoked", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/keys");
    await page.click("button:has-text('Make a key')");
    await page.fill("#key-name", "my laptop");
    await page.check("label:has-text('Look at everything') input");
    await page.click("#key button[type=submit]");
    const key = await page.textContent("#made-key");
    const call = () => fetch(`${world.address}/api/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal((await call()).status, 200);
    const row = (await world.api("GET", "/api/v1/keys")).body.items.find(k => k.name === "my laptop");
    assert.deepEqual([...row.scopes].sort(), ["inference", "read"]);
    await open(world, page, "/console/keys");
    assert.equal(await page.locator("#made-key").count(), 0);
    await page.click("button[aria-label='Revoke my laptop']");
    await page.waitForSelector("button:has-text('Really revoke?')");
    await page.click("button[aria-label='Revoke my laptop']");
    await page.waitForSelector("tr:has-text('my laptop') >> text=revoked");
    assert.equal((await call()).status, 401);
    await page.context().close();
  }],

  ["an admin makes a user, who signs in with a password, may do what the rights say, changes the password, and is shut out", async world => {
    const admin = await visit(world);
    await signIn(world, admin);
    await open(world, admin, "/console/users");
    await admin.waitForSelector("text=There is no user yet.");
    await admin.click("button:has-text('Add a user')");
    await admin.fill("#user-name", "Grace");
    await admin.fill("#user-password", "a first password");
    await admin.uncheck("label:has-text('Use models') input");
    await admin.click("#user button[type=submit]");
    await admin.waitForSelector("th:has-text('grace')");
    assert.deepEqual((await world.api("GET", "/api/v1/users/grace")).body.scopes, ["read"]);
    await admin.click("button:has-text('Add a user')");
    await admin.fill("#user-name", "grace");
    await admin.fill("#user-password", "another password");
    await admin.click("#user button[type=submit]");
    await admin.waitForSelector("#user small.trouble:has-text('already')");

    // By keyboard alone: the name has the focus when the page opens.
    const page = await visit(world);
    const signInByName = async password => {
      await page.keyboard.type("grace");
      await page.keyboard.press("Tab");
      await page.keyboard.type(password);
      await page.keyboard.press("Enter");
    };
    await page.goto(`${world.address}/console/models`);
    await page.evaluate(axe);
    assert.deepEqual((await page.evaluate(() => window.axe.run(document))).violations.filter(v => ["serious", "critical"].includes(v.impact)).map(v => v.id), []);
    await page.screenshot({ path: join(pictures, "login.png") });
    await signInByName("not the password");
    await page.waitForSelector("[role=alert]:has-text('No user has this name')");
    await signInByName("a first password");
    await settled(page);
    assert.equal(new URL(page.url()).pathname, "/console/models");
    assert.equal(await page.locator("nav a:has-text('Users')").count(), 0);
    await open(world, page, "/console/users");
    await page.waitForSelector(".mud-alert:has-text('may not GET')");

    await page.click("[aria-label=Account]");
    await page.waitForSelector("dd:has-text('Look at everything')");
    await page.fill("#current", "a wrong password");
    await page.fill("#new", "a password of my own");
    await page.click("button:has-text('Change the password')");
    await page.waitForSelector("small.trouble:has-text('is not the password')");
    await page.fill("#current", "a first password");
    await page.click("button:has-text('Change the password')");
    await page.waitForURL("**/login");
    await signInByName("a first password");
    await page.waitForSelector("[role=alert]:has-text('No user has this name')");
    await signInByName("a password of my own");
    await settled(page);
    await open(world, page, "/console/jobs");

    await admin.reload();
    await settled(admin);
    await admin.click("button[aria-label='Change the user grace']");
    await admin.check("#user-disabled");
    await admin.click("#user button[type=submit]");
    await admin.waitForSelector("tr:has-text('grace') >> text=disabled");
    await page.waitForSelector(".mud-alert:has-text('Sign in again')"); // the open page says so by itself
    await page.goto(`${world.address}/console/jobs`);
    assert.match(page.url(), /\/login/);
    await signInByName("a password of my own");
    await page.waitForSelector("[role=alert]:has-text('disabled')");
    assert.deepEqual(admin.faults, []);
    await page.context().close();
    await admin.context().close();
  }],

  ["a page whose connection is lost says so, and goes on where it was when it is back", async world => {
    const wire = await startWire(world);
    const page = await visit(world);
    await signIn({ ...world, address: wire.address }, page, adminKey, "/console/train");
    await page.fill("form input >> nth=0", "half-written");
    await page.press("form input >> nth=0", "Tab");
    wire.cut();
    await page.waitForSelector("#components-reconnect-modal >> text=Trying to connect again", { state: "visible" });
    wire.mend();
    await page.waitForSelector("#components-reconnect-modal", { state: "hidden" });
    await page.click("button[aria-label='Use the dark theme']");
    await page.waitForSelector("button[aria-label='Use the light theme']"); // the circuit answers
    assert.equal(await page.inputValue("form input >> nth=0"), "half-written");
    await page.context().close();
    wire.stop();
  }],

  ["a page is loaded anew when the server was started anew, and its session goes on", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/nodes");
    await page.evaluate(() => { window.before = true; });
    assert.equal(await world.restart(), 0);
    await page.waitForFunction(() => !window.before && document.querySelector("[data-alive]"));
    assert.equal(new URL(page.url()).pathname, "/console/nodes");
    await page.waitForSelector(".chip.ready");
    await page.context().close();
  }],

  ["language and theme are chosen once and kept", async world => {
    const page = await visit(world);
    await signIn(world, page);
    await page.selectOption("select.language", "zh-Hans");
    await page.waitForSelector("nav >> text=试验场");
    assert.equal(await page.getAttribute("html", "lang"), "zh-Hans");
    await page.click("button[aria-label='切换到深色主题']");
    await page.waitForFunction(() => document.body.className === "dark");
    await open(world, page, "/console/models");
    assert.equal(await page.textContent("h1"), "模型");
    assert.equal(await page.getAttribute("body", "class"), "dark");
    const chinese = await visit(world, { locale: "zh-CN" });
    await chinese.goto(world.address);
    await chinese.waitForSelector("button:text-is('登录')");
    await chinese.context().close();
    await page.context().close();
  }],

  ["everything can be reached by keyboard", async world => {
    const page = await visit(world);
    await signIn(world, page);
    // From the page's start, not from the heading where the focus is put.
    await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); });
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    const reached = new Set();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim()));
    }
    for (const name of ["Menu", "Language", "Use the dark theme", "Account", "Sign out", "Jobs", "Nodes", "Users", "Models", "Playground", "Train", "Apps"]) {
      assert.ok(reached.has(name), `${name} is not reached by Tab: ${[...reached].join(", ")}`);
    }
    await page.focus("nav a:has-text('Nodes')");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/console/nodes");
    await page.context().close();
  }],

  ...looks.map(([language, theme, width]) =>
    [`every page in ${language}, ${theme}, ${width} px: no serious fault, nothing sticks out, no foreign request`, async world => {
      const page = await visit(world, { viewport: { width, height: 900 } });
      await page.context().addCookies([
        { name: "llmos_language", value: language, url: world.address },
        { name: "llmos_theme", value: theme, url: world.address },
      ]);
      await page.emulateMedia({ colorScheme: theme }); // of the pages that follow the system's theme
      await signIn(world, page);
      const faults = [];
      const jobs = (await world.api("GET", "/api/v1/jobs?limit=2")).body.items.map(job => job.id);
      world.job ??= `/console/jobs/${jobs[0]}`;
      await world.api("POST", "/api/v1/users", { name: "ada.lovelace@analytical-engine.example", password: "correct horse battery" });
      world.runs ??= `/console/jobs/compare?ids=${jobs}`;
      world.app ??= (await world.api("POST", "/api/v1/apps", { template: "story-writer", slug: "looked-at" })).body.page;
      for (const path of pages.map(p => ({ JOB: world.job, RUNS: world.runs, APP: world.app, LOGIN: "/login" })[p] ?? p)) {
        if ([world.app, "/login"].includes(path)) {
          await page.goto(world.address + path); // no part of the console: nothing to wait for
        } else {
          await open(world, page, path);
        }
        if (path === "/console/models") {
          await page.click("button[aria-controls=import]");
          await page.waitForSelector("#catalogue");
        } else if (path === "/console/users") {
          await page.click("button[aria-controls=user]");
          await page.waitForSelector("#user");
        } else if (path === "/console/keys") {
          await page.click("button[aria-controls=key]");
          await page.waitForSelector("#key");
        }
        await page.evaluate(() => Promise.all(document.getAnimations().filter(a => a.effect?.getTiming().iterations !== Infinity).map(a => a.finished.catch(() => {}))));
        await page.screenshot({ fullPage: true, path: join(pictures, `${path.split("?")[0].replaceAll("/", "_").replace(/job_.*/, "job")}-${language}-${theme}-${width}.png`) });
        await page.evaluate(axe);
        const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        faults.push(...found.violations.filter(v => ["serious", "critical"].includes(v.impact)).map(v => `${path} ${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")}`));
        const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
        if (wide > width) {
          faults.push(`${path} is ${wide} px wide`);
        }
        faults.push(...await page.$$eval(".scroll", all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => `${location.pathname} ${e.getAttribute("aria-label")} is ${e.scrollWidth} px wide in ${e.clientWidth} px`)));
        const boxes = await page.$$eval("input[type=checkbox][aria-label]", all => all.map(e => e.getAttribute("aria-label")));
        if (new Set(boxes).size < boxes.length) {
          faults.push(`${path} has boxes of the same name: ${boxes}`);
        }
        if (language === "zh-Hans") {
          faults.push(...await page.$$eval(".job-progress .message:not([lang])", all => all.map(e => e.textContent).filter(t => /^[ -~]+$/.test(t)).map(t => `${location.pathname} says in English: ${t}`)));
        }
      }
      assert.deepEqual(faults, []);
      assert.deepEqual(page.foreign, []);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    }]),
];
