// A fresh clone to a passed gate: install, find or install what the tests drive, check. May be run again at any time.
import { findChromium } from "../src/testing/chromium.ts";
import { findS3Server, S3_SERVER_PACKAGE } from "../src/testing/s3.ts";
import { run, runAll } from "./run.ts";

const bun = process.execPath;
const APT_INSTALL = "apt-get install --yes --no-install-recommends";

/** The distribution's packages of what the tests drive and this machine does not have. */
function missingPackages(): string[] {
  const missing: string[] = [];
  if (findChromium() === undefined) missing.push("chromium");
  if (findS3Server() === undefined) missing.push(S3_SERVER_PACKAGE);
  return missing;
}

/** Installs the packages that are missing, when we may. */
async function ensurePackages(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0 || process.getuid?.() !== 0 || Bun.which("apt-get") === null) return;
  const install = [...APT_INSTALL.split(" "), ...missing];
  await runAll([["apt-get", "update"], install], { DEBIAN_FRONTEND: "noninteractive" });
}

await runAll([[bun, "install", "--frozen-lockfile"]]);
await ensurePackages();
if (findS3Server() === undefined) {
  console.error("The S3 tests are skipped: they need a server to test against, and none was found.");
  console.error(`Try: sudo ${APT_INSTALL} ${S3_SERVER_PACKAGE}`);
}
const chromium = findChromium();
if (chromium === undefined) {
  console.error("Error: The page tests need a Chromium, and none was found.");
  console.error(`Try: sudo ${APT_INSTALL} chromium, or set CHROME_PATH to the browser that you have.`);
  process.exit(1);
}
process.exit(await run([bun, "scripts/check.ts"], { CHROME_PATH: chromium }));
