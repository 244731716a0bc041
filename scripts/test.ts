// A fresh clone to a passed gate: install, find or install a browser, check. May be run again at any time.
import { findChromium } from "../src/testing/chromium.ts";
import { run, runAll } from "./run.ts";

const bun = process.execPath;
const APT_INSTALL = "apt-get install --yes --no-install-recommends chromium";

/** A Chromium for the page tests, installed from the distribution's packages when we may. Undefined: none to be had. */
async function ensureChromium(): Promise<string | undefined> {
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) return undefined;
  await runAll([["apt-get", "update"], APT_INSTALL.split(" ")], { DEBIAN_FRONTEND: "noninteractive" });
  return findChromium();
}

await runAll([[bun, "install", "--frozen-lockfile"]]);
const chromium = await ensureChromium();
if (chromium === undefined) {
  console.error("Error: The page tests need a Chromium, and none was found.");
  console.error(`Try: sudo ${APT_INSTALL}, or set CHROME_PATH to the browser that you have.`);
  process.exit(1);
}
process.exit(await run([bun, "scripts/check.ts"], { CHROME_PATH: chromium }));
