// bun run bench [--size 256MiB] [NAME …]: all of them, or those that are named.
// Measures the built executable against bare baselines and peers in the same run. On a quiet machine, please.
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { parseBytes } from "../../src/lib/bytes.ts";
import { root, runAll } from "../run.ts";
import { cleanUpBench } from "./clean-up.ts";
import { contention } from "./contention.ts";
import { conversations } from "./conversations.ts";
import { edits } from "./edits.ts";
import type { Bench, Figure } from "./figure.ts";
import { firstToken } from "./first-token.ts";
import { interactions } from "./interactions.ts";
import { listing } from "./listing.ts";
import { smallDownloads } from "./small-downloads.ts";
import { stalled } from "./stalled.ts";
import { startup } from "./startup.ts";
import { transfers } from "./transfers.ts";
import { tus } from "./tus.ts";
import { zipBench } from "./zip.ts";

const benches: Bench[] = [
  startup,
  interactions,
  firstToken,
  conversations,
  edits,
  transfers,
  tus,
  stalled,
  contention,
  smallDownloads,
  zipBench,
  listing,
  cleanUpBench,
];

const { values, positionals } = parseArgs({
  options: { size: { type: "string", default: "2GiB" } },
  allowPositionals: true,
});
const size = parseBytes(values.size);
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (size === undefined || unknown.length > 0) {
  console.error(`Usage: bun run bench [--size 256MiB] [${benches.map(({ name }) => name).join("] [")}]`);
  process.exit(2);
}

function print({ what, ours, baseline, compared, limit, holds }: Figure): void {
  console.log(`${holds ? "✓" : "✗"} ${what}: ${ours}; ${baseline}; ${compared}, limit ${limit}`);
}

await runAll([[process.execPath, `${root}/scripts/build.ts`]]);
console.log(`${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Linux ${release()}, Bun ${Bun.version}\n`);
const figures: Figure[] = [];
for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  console.error(`… ${bench.name}`);
  const measured = await bench.run({ size });
  for (const figure of measured) print(figure);
  figures.push(...measured);
}
const missed = figures.filter(({ holds }) => !holds);
console.log(`\n${figures.length - missed.length} of ${figures.length} within their limits`);
process.exit(missed.length === 0 ? 0 : 1);
