// Runs every check in order, in one world, and says how many passed: "e2e: N passed, N failed".
import { picture, startWorld } from "./world.mjs";
import { checks } from "./checks.mjs";

const only = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
let [passed, failed] = [0, 0];
const world = await startWorld();
try {
  for (const [name, check] of checks) {
    if (!only.test(name)) {
      continue;
    }
    const begin = Date.now();
    try {
      await check(world);
      passed++;
      console.log(`ok ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${error.stack ?? error}`);
      await picture(world, `failed-${failed}`).catch(() => {}); // the check may have closed its pages
    }
  }
} finally {
  const code = await world.stop();
  if (code === 0) {
    passed++;
    console.log("ok the server stops with exit code 0 while pages are open");
  } else {
    failed++;
    console.log(`FAIL the server ended with ${code}\n${world.log().slice(-3000)}`);
  }
}
console.log(`e2e: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
