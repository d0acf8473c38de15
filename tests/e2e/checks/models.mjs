// What a person does with models: sign in, look around, import, play.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { adminKey, open, pictures, settled, signIn, visit } from "../world.mjs";
import { pages } from "../page-list.mjs";

export const models = [
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
    await page.fill("aside input[type=number] >> nth=0", "60");
    await page.fill("aside input[type=number] >> nth=1", "0");
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
    await page.fill("aside input[type=number] >> nth=0", "20");
    await page.fill("section textarea", "Tell me of the 'fox' & \"bear\" <b>");
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction(() => /new tokens/.test(document.querySelector(".figures").textContent));
    assert.ok((await page.textContent(".turn.assistant")).length > 0);
    assert.equal(await page.textContent(".turn.user"), "Tell me of the 'fox' & \"bear\" <b>");

    await page.fill("aside input[type=number] >> nth=0", "100000");
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
    await page.fill("label:has-text('Second model') input", "tales");
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

  ["many models are counted and found, one without a version and one with footnotes have their pages, an unknown page says so", async world => {
    const names = Array.from({ length: 55 }, (_, i) => `many-${String(i).padStart(2, "0")}`);
    for (const name of names) {
      assert.equal((await world.api("POST", "/api/v1/models", { name, card: name === "many-54" ? "# Notes\n\nA claim.[^1]\n\n[^1]: Its ground.\n" : null })).status, 201);
    }
    const total = (await world.api("GET", "/api/v1/models?limit=1")).body.total;
    const page = await visit(world);
    await signIn(world, page);
    await page.waitForFunction(count => document.querySelector(".tile b")?.textContent === String(count), total);

    await open(world, page, "/console/playground");
    await page.fill("label:has(> span:text-is('Model')) input", "many-54");
    await page.waitForFunction(() => [...document.querySelectorAll("datalist option")].some(option => option.value === "many-54"));

    await open(world, page, "/console/evaluate?model=many-54:1");
    assert.equal(await page.inputValue("label:has(> span:text-is('Model')) input"), "many-54:1");

    await open(world, page, "/console/models/many-54");
    await page.waitForSelector("text=This model has no version yet");
    const note = await page.getAttribute("#card a[href*='#']", "href");
    assert.match(note, /^console\/models\/many-54#/);

    assert.equal((await page.goto(`${world.address}/console/nowhere`)).status(), 404);
    await page.waitForSelector("h1:text-is('There is no such page')");
    await page.context().close();
    for (const name of names) {
      await world.api("DELETE", `/api/v1/models/${name}`);
    }
  }],

  ["models are loaded, pinned and unloaded", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/running");
    await page.fill("#load input", "starter");
    await page.click("#load button[type=submit]");
    await page.waitForSelector("#running .chip.ready");
    await page.click("button[aria-label='Pin starter:1']");
    await page.waitForSelector("button[aria-label='Unpin starter:1']");
    const running = (await world.api("GET", "/api/v1/running")).body.items.find(model => model.model === "starter");
    assert.deepEqual([running.state, running.pinned], ["ready", true]);
    await page.click("button[aria-label='Unpin starter:1']");
    await page.click("button[aria-label='Unload starter:1']");
    await page.waitForFunction(() => ![...document.querySelectorAll("#running th")].some(cell => cell.textContent.includes("starter:1")));
    await page.context().close();
  }],

  ["signing out in one tab ends what the other may do", async world => {
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/playground?model=starter");
    const other = await page.context().newPage();
    await open(world, other, "/console/jobs");
    await other.click(".sign-out button");
    await other.waitForURL("**/login");
    await page.fill("section textarea", "Are you still there?");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector("text=This session has ended");
    await page.context().close();
  }],
];
