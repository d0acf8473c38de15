// What holds for every page: lost connections, languages, themes, the keyboard, accessibility.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe } from "../axe.mjs";
import { adminKey, open, pictures, settled, signIn, startWire, visit } from "../world.mjs";
import { pages } from "../page-list.mjs";

/** Each language, theme and width once; ALL_LOOKS=1 tries every combination of them. */
const looks = process.env.ALL_LOOKS
  ? ["en", "zh-Hans"].flatMap(language => ["light", "dark"].flatMap(theme => [1280, 390].map(width => [language, theme, width])))
  : [["en", "light", 1280], ["zh-Hans", "dark", 390]];

export const everyPage = [
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
    await settled(page); // the page was loaded anew and answers only now
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
