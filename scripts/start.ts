// A fresh clone to a running wisbot: install, build, serve. Needs nothing but this Bun; may be run again at any time.
import { root, runAll } from "./run.ts";

const bun = process.execPath;
await runAll([
  [bun, "install", "--frozen-lockfile"],
  [bun, "scripts/build.ts"],
]);

// One Ctrl-C comes here up to three times, from the terminal, npm and npx, and wisbot takes a second signal as "at
// once". So it has a process group of its own, and whatever comes within a second is passed on as one.
const SAME_PRESS_MS = 1_000;
const serve = Bun.spawn([`${root}/dist/wisbot`, "serve", ...process.argv.slice(2)], {
  cwd: root,
  detached: true,
  stdio: ["ignore", "inherit", "inherit"],
});
let passedOn = Number.NEGATIVE_INFINITY;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (performance.now() - passedOn < SAME_PRESS_MS) return;
    passedOn = performance.now();
    serve.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
  });
}
process.exit(await serve.exited);
