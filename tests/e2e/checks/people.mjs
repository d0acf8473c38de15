// Who may do what, and who did what: visitors of apps, keys, users, usage.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe } from "../axe.mjs";
import { adminKey, open, pictures, settled, signIn, visit } from "../world.mjs";

export const people = [
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

  ["usage shows what the records say, by model, key and day, within the period, and to others their own alone", async world => {
    const made = (await world.api("POST", "/api/v1/keys", { name: "metered", scopes: ["inference", "read"] })).body;
    const run = key => world.api("POST", "/v1/completions", { model: "starter", prompt: "Once upon a time", max_tokens: 9, min_tokens: 9 }, key);
    assert.equal((await run(made.key)).status, 200);
    assert.equal((await run(adminKey)).status, 200);
    const page = await visit(world);
    await signIn(world, page, adminKey, "/console/usage");
    const total = (await world.api("GET", "/api/v1/usage/summary")).body.total;
    assert.equal(await page.textContent("#usage-total .tile >> nth=0"), `${total.requests}Requests`);
    assert.ok(await page.locator("tr:has(th:text-is('starter:1'))").count() === 1);
    await page.click("[aria-label='Add up by'] button:text-is('Key')");
    await page.waitForSelector("tr:has(th:text-is('metered')) td:nth-child(5):text-is('9')");
    await page.click("[aria-label='Add up by'] button:text-is('Day')");
    await page.waitForSelector(`th:text-is('${new Date().toISOString().slice(0, 10)}')`);
    await page.click("[aria-label=Period] button:text-is('Today')");
    await page.waitForSelector("[aria-label=Period] button[aria-pressed=true]:text-is('Today')");
    assert.ok(await page.locator("tbody tr").count() <= 2); // two days, where midnight came between

    const own = await visit(world);
    await signIn(world, own, made.key, "/console/usage");
    assert.equal(await own.textContent("#usage-total .tile >> nth=0"), "1Requests");
    await own.click("[aria-label='Add up by'] button:text-is('Key')");
    await own.waitForSelector(`th:text-is('${made.id}')`);
    assert.equal(await own.locator(".mud-alert").count(), 0);
    assert.deepEqual([...page.faults, ...own.faults], []);
    await page.context().close();
    await own.context().close();
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
];
