// The one gate, the same on every machine and in CI: style, types, lock file, tests, and the built binary.
import { root, runAll } from "./run.ts";

const bun = process.execPath;

/** A lock file that names a host ties every clone to somebody's mirror. */
async function refuseHostsInLockFile(): Promise<void> {
  const hosts = (await Bun.file(`${root}/bun.lock`).text()).match(/https?:\/\/[^"'\s]+/g) ?? [];
  if (hosts.length === 0) return;
  console.error(`Error: bun.lock names hosts: ${[...new Set(hosts)].slice(0, 5).join(", ")}`);
  console.error("Try: remove the mirror from your configuration, then bun install --force.");
  process.exit(1);
}

await runAll([
  [bun, "x", "biome", "check", "--error-on-warnings", "."],
  [bun, "x", "tsc", "--noEmit"],
]);
await refuseHostsInLockFile();
await runAll([
  // Twenty seconds for a test are for machines that are slow, or busy; two files at a time are a quarter faster on two
  // cores, and more would starve the browsers.
  [bun, "test", "--parallel=2", "--timeout", "20000"],
  [bun, "scripts/build.ts"],
  [bun, "scripts/smoke.ts"],
]);
