// A fresh clone to a running wisbot: install, build, serve. Needs nothing but this Bun; may be run again at any time.
import { root, run, runAll } from "./run.ts";

const bun = process.execPath;
await runAll([
  [bun, "install", "--frozen-lockfile"],
  [bun, "scripts/build.ts"],
]);
process.exit(await run([`${root}/dist/wisbot`, "serve", ...process.argv.slice(2)]));
