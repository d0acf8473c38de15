// The built server on a new data folder, and Debian's Chromium.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startHub } from "./hub.mjs";

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const adminKey = "end-to-end-admin-key-0123456789";

/** How long a state is waited for; a busy machine takes its time, and nothing is proved by haste. */
export const patience = Number(process.env.PATIENCE ?? 180_000);

/** Where screenshots go; not committed. */
export const pictures = join(repository, "artifacts", "e2e");

const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

/** The server's file: the variable SERVER names one, else what was built last. */
function serverFile() {
  if (process.env.SERVER) {
    return process.env.SERVER;
  }
  const folder = join(repository, "artifacts", "bin", "LlmOs.Server");
  const found = existsSync(folder) ? readdirSync(folder).filter(name => name.startsWith("debug")).map(name => join(folder, name, "LlmOs.Server.dll")).find(existsSync) : undefined;
  if (!found) {
    throw new Error(`The server is not built: there is nothing in ${folder}.`);
  }
  return found;
}

const freePort = () => new Promise(done => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

export async function startWorld() {
  const folder = mkdtempSync(join(tmpdir(), "llmos-e2e-"));
  const imports = join(folder, "import");
  mkdirSync(imports);
  cpSync(join(repository, "models", "starter"), join(imports, "tales"), { recursive: true });
  const words = ["the", "small", "fox", "went", "home", "and", "saw", "a", "red", "house", "by", "the", "old", "tree"];
  writeFileSync(join(imports, "text.txt"), Array.from({ length: 6000 }, (_, i) => words[(i * i + 3 * i) % words.length] + (i % 11 === 10 ? ".\n" : " ")).join(""));
  mkdirSync(pictures, { recursive: true });

  const address = `http://127.0.0.1:${await freePort()}`;
  const hub = await startHub(join(repository, "models", "starter"));
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LLMOS|ASPNETCORE|HF)_/.test(name)));
  Object.assign(environment, { LLMOS_DATA: join(folder, "data"), LLMOS_ADMIN_KEY: adminKey, LLMOS_IMPORT_DIRS: imports, ASPNETCORE_URLS: address, HF_ENDPOINT: hub.address });
  let log = "";
  const world = { address, imports, folder, hub, log: () => log };
  const launch = async () => {
    const server = spawn("dotnet", [serverFile()], { env: environment, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    server.stdout.on("data", data => { log += data; });
    server.stderr.on("data", data => { log += data; });
    world.server = server;
    world.ended = new Promise(done => server.on("exit", done));
    for (const begin = Date.now(); !await fetch(`${address}/readyz`).then(answer => answer.ok, () => false);) {
      if (server.exitCode !== null || Date.now() - begin > patience) {
        throw new Error(`The server did not become ready.\n${log}`);
      }
      await new Promise(done => setTimeout(done, 100));
    }
  };
  /** Its exit code, or "late" when it had to be killed. */
  const end = async () => {
    world.server.kill("SIGTERM");
    const code = await Promise.race([world.ended, new Promise(done => setTimeout(() => done("late"), 45_000))]);
    if (code === "late") {
      world.server.kill("SIGKILL");
    }
    return code;
  };
  world.restart = async () => {
    const code = await end();
    await launch();
    return code;
  };
  world.api = async (method, path, body, key = adminKey) => {
    const answer = await fetch(address + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  };
  world.stop = async () => {
    await world.browser?.close();
    hub.stop();
    const code = await end();
    rmSync(folder, { recursive: true, force: true });
    return code;
  };

  await launch();
  world.browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags, headless: true });
  return world;
}

/** The server behind a wire that can be cut and mended. */
export async function startWire(world) {
  const sockets = new Set();
  let whole = true;
  const wire = createServer(near => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(new URL(world.address).port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.on("error", () => to.destroy()).on("close", () => { sockets.delete(from); to.destroy(); });
      from.pipe(to);
    }
  });
  await new Promise(done => wire.listen(0, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${wire.address().port}`,
    cut: () => { whole = false; sockets.forEach(socket => socket.destroy()); },
    mend: () => { whole = true; },
    stop: () => { whole = false; sockets.forEach(socket => socket.destroy()); wire.close(); },
  };
}

/** A fresh browser profile; what it asks for elsewhere and what its console says wrong is kept. */
export async function visit(world, options = {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US", ...options });
  context.setDefaultTimeout(patience);
  context.setDefaultNavigationTimeout(patience);
  const page = await context.newPage();
  page.foreign = [];
  page.faults = [];
  page.on("request", request => {
    const url = request.url();
    if (!url.startsWith(world.address) && !url.startsWith(world.address.replace("http", "ws")) && !url.startsWith("data:")) {
      page.foreign.push(url);
    }
  });
  page.on("pageerror", error => page.faults.push(String(error)));
  page.on("console", message => message.type() === "error" && page.faults.push(message.text()));
  return page;
}

export async function signIn(world, page, key = adminKey, path = "/") {
  await page.goto(world.address + path);
  await page.fill("#key", key);
  await page.press("#key", "Enter");
  await settled(page);
}

/** Opens a page of the console and waits until it is alive. */
export async function open(world, page, path) {
  await page.goto(world.address + path);
  await settled(page);
}

/** The circuit is up: the layout's buttons answer. */
export async function settled(page) {
  await page.waitForSelector("h1");
  await page.waitForSelector("[data-alive]");
}

/** What the pages that are still open show, for whoever has to find out why a check failed; and closes them. */
export async function picture(world, name) {
  for (const context of world.browser.contexts()) {
    for (const page of context.pages()) {
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    }
    await context.close();
  }
}
