// Page weight, time until a page answers, and how long a press of a button takes while a model generates and a job trains.
// Run by hand after a build: node measure.mjs. Its figures are in docs/console.md.
import { join } from "node:path";
import { adminKey, settled, signIn, startWorld, visit } from "./world.mjs";

const world = await startWorld();
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** What travels for the overview, and how long until its buttons answer, with an empty cache and then a full one. */
async function load(page, network) {
  let bytes = 0;
  const names = new Map();
  const heavy = [];
  const name = event => names.set(event.requestId, event.request.url);
  const count = event => {
    bytes += event.encodedDataLength;
    if (event.encodedDataLength > 20_000) {
      heavy.push(`${new URL(names.get(event.requestId)).pathname} ${Math.round(event.encodedDataLength / 1000)} kB`);
    }
  };
  network.on("Network.requestWillBeSent", name);
  network.on("Network.loadingFinished", count);
  const begin = performance.now();
  await page.goto(world.address);
  await settled(page);
  const milliseconds = Math.round(performance.now() - begin);
  network.off("Network.requestWillBeSent", name);
  network.off("Network.loadingFinished", count);
  return { kilobytes: Math.round(bytes / 1000), milliseconds, heavy };
}

/** From the press of the theme's button, by way of the server, to the page in the other colours. */
const press = page => page.evaluate(() => new Promise(done => {
  const begin = performance.now();
  new MutationObserver((_, observer) => { observer.disconnect(); done(performance.now() - begin); }).observe(document.body, { attributes: true });
  document.querySelector("header button[title]").click();
}));

async function presses(page) {
  const times = [];
  for (let i = 0; i < 31; i++) {
    times.push(await press(page));
  }
  return { median: Math.round(median(times)), longest: Math.round(Math.max(...times)) };
}

try {
  const page = await visit(world);
  await signIn(world, page);
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.clearBrowserCache");
  console.log("first load", await load(page, network));
  console.log("second load", await load(page, network));
  console.log("press, idle, ms", await presses(page));

  const job = (await world.api("POST", "/api/v1/training", {
    name: "load", text: `file:${join(world.imports, "text.txt")}`, tokenizer: { train: "bpe", vocabulary: 300 },
    architecture: { type: "llama", layers: 2, hidden: 64, heads: 4, intermediate: 128, context: 64 }, budget: { steps: 1_000_000 },
  })).body.job;
  while (!((await world.api("GET", `/api/v1/jobs/${job.id}`)).body.metrics?.step > 0)) {
    await new Promise(done => setTimeout(done, 250));
  }
  let busy = true;
  const generating = (async () => {
    while (busy) {
      await world.api("POST", "/v1/completions", { model: "starter", prompt: "Once upon a time", max_tokens: 400 });
    }
  })();
  console.log("press while a model generates and a job trains, ms", await presses(page));
  busy = false;
  await generating;
  await world.api("POST", `/api/v1/jobs/${job.id}/cancel`);
} finally {
  await world.stop();
}
