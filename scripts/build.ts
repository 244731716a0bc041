// Builds dist/wisbot: one executable with everything embedded. `--target bun-linux-arm64` cross-compiles.

import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { $ } from "bun";
import { version } from "../package.json";
import { root } from "./run.ts";

const { values } = parseArgs({ options: { target: { type: "string" }, outfile: { type: "string" } } });
const outfile = resolve(values.outfile ?? `${root}/dist/wisbot`);

/** An image build has no .git: it hands the commit in. */
async function currentCommit(): Promise<string> {
  if (process.env.WISBOT_COMMIT) return process.env.WISBOT_COMMIT;
  const git = await $`git rev-parse --short=12 HEAD`.cwd(root).nothrow().quiet();
  return git.exitCode === 0 ? git.text().trim() : "unknown";
}

const commit = await currentCommit();
const flags = [
  "--compile",
  "--bytecode",
  "--splitting",
  "--format=esm",
  "--sourcemap",
  // Not --minify: it erases function names from stacks.
  "--minify-whitespace",
  "--minify-syntax",
  // Without these two the binary would run .env and bunfig.toml (preload: code) of whatever folder it stands in.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  ...(values.target ? [`--target=${values.target}`] : []),
  "--define",
  `process.env.WISBOT_BUILD_VERSION=${JSON.stringify(version)}`,
  "--define",
  `process.env.WISBOT_BUILD_COMMIT=${JSON.stringify(commit)}`,
];

// In a folder beside it: bun leaves a source map a chunk there, which the executable carries inside already; and a
// rename puts the new one in place whole, also while the old one runs.
await mkdir(dirname(outfile), { recursive: true });
const workshop = await mkdtemp(`${outfile}.build-`);
try {
  await $`${process.execPath} build ${flags} src/main.ts --outfile ${workshop}/wisbot`.cwd(root).quiet();
  await rename(`${workshop}/wisbot`, outfile);
} finally {
  await rm(workshop, { recursive: true });
}
console.error(`built ${outfile} (${version}, ${commit})`);
