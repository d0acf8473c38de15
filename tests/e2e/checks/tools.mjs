// What a person does with the tools: train, pull, compare, follow jobs.
import assert from "node:assert/strict";
import { join } from "node:path";
import { adminKey, open, patience, pictures, settled, signIn, visit } from "../world.mjs";

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

export const tools = [
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
    await page.fill("label:has-text('Compare with') input", "fresh:2");
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
    await page.fill("aside input[type=number] >> nth=0", "8");
    await page.fill("aside input[type=number] >> nth=1", "0");
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
];
