import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import { lastOf, tusClient } from "../../src/testing/tus-client.ts";
import { type Bench, type BenchOptions, type Figure, inTurn, mb, median, times } from "./figure.ts";
import {
  binary,
  forgetPeak,
  peakBytes,
  type Running,
  residentBytes,
  startBuilt,
  startScript,
  temporaryFolder,
} from "./processes.ts";
import { openRawClient } from "./raw-client.ts";

const ROUNDS = 5;
/** What the upload page sends at once: proxies and their kin cap requests at 100 MB. */
const PART = 64 * 2 ** 20;
const RATE_LIMIT = 0.8;
const MEMORY_LIMIT = 64e6;

const parts = crypto.getRandomValues(new Uint8Array(65_536));
const part = Buffer.concat(Array.from({ length: PART / parts.length }, () => parts));

/**
 * Uploads `size` bytes through a link, part after part over one connection. Gives how long the parts took, in seconds,
 * and the last answer. What is still to be written is written first, so that no round pays for another.
 */
async function upload(link: string, size: number) {
  // No two uploads have the same bytes: those would not be kept twice.
  crypto.getRandomValues(part.subarray(0, 32));
  const client = tusClient(link);
  const address = await client.begin(size);
  await $`sync`.quiet();
  using connection = await openRawClient(address);
  const started = performance.now();
  let headers = new Headers();
  for (let at = 0; at < size; at += PART) {
    const length = Math.min(PART, size - at);
    await connection.write(client.patchHead(address, at, length));
    await connection.write(part.subarray(0, length));
    ({ headers } = await connection.answer());
    const received = Number(headers.get("upload-offset"));
    if (received !== at + length) throw new Error(`${received} of ${at + length} bytes arrived`);
  }
  return { seconds: (performance.now() - started) / 1000, headers };
}

/** Uploads through a link of its own, after the upload before is gone. Gives its share too. */
async function uploadToWisbot({ folder }: Running, size: number, before: string | undefined) {
  if (before !== undefined) await $`${binary} files rm ${lastOf(before)}`.cwd(folder).quiet();
  const link: { url: string } = await $`${binary} files link --owner bench --json`.cwd(folder).quiet().json();
  const { seconds, headers } = await upload(link.url, size);
  const share = headers.get("content-location");
  if (share === null) throw new Error("the upload made no file");
  return { seconds, share };
}

async function uploadAlone({ folder, url }: Running, size: number): Promise<number> {
  const kept = join(folder, "uploads");
  for (const name of await readdir(kept)) await rm(join(kept, name));
  return (await upload(`${url}/u/none`, size)).seconds;
}

async function run({ size }: BenchOptions): Promise<Figure[]> {
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  await using synced = await startScript("tus-server.ts", { folder: folder.path, env: { SYNC: "1" } });
  await using cached = await startScript("tus-server.ts", { folder: other.path });
  await using wisbot = await startBuilt({
    files: { max_file_size: size * 2, max_bytes_per_user: size * 10, min_free_disk: 1 },
  });
  const idle = await residentBytes(wisbot.pid);
  await forgetPeak(wisbot.pid);
  let share: string | undefined;
  async function ours(): Promise<number> {
    const done = await uploadToWisbot(wisbot, size, share);
    share = done.share;
    return done.seconds;
  }
  const seen = await inTurn(ROUNDS, ours, () => uploadAlone(synced, size));
  const growth = (await peakBytes(wisbot.pid)) - idle;
  const beside = await inTurn(ROUNDS, ours, () => uploadAlone(cached, size));
  const what = `${(size / 2 ** 30).toFixed(2)} GiB in parts of ${PART / 2 ** 20} MiB, hashed, synced when it is whole`;
  const figure = (peer: string, { ours, baseline }: typeof seen): Figure => {
    const [rate, peerRate] = [size / median(ours), size / median(baseline)];
    return {
      what: `resumable upload of ${what}`,
      ours: `${mb(rate)}/s`,
      baseline: `@tus/server alone, ${peer}, ${mb(peerRate)}/s`,
      compared: times(rate / peerRate),
      limit: `at least ${times(RATE_LIMIT)}`,
      holds: rate / peerRate >= RATE_LIMIT,
    };
  };
  return [
    figure("made to sync its parts too", seen),
    figure("which leaves its parts in memory", beside),
    {
      what: `memory growth over ${ROUNDS} of them`,
      ours: mb(growth),
      baseline: `${mb(idle)} when idle`,
      compared: mb(growth),
      limit: `at most ${mb(MEMORY_LIMIT)}`,
      holds: growth <= MEMORY_LIMIT,
    },
  ];
}

export const tus: Bench = { name: "tus", run };
