import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import { freePort } from "../../src/lib/free-port.ts";
import { type Bench, type BenchOptions, type Figure, inTurn, mb, median, times } from "./figure.ts";
import { forgetPeak, peakBytes, residentBytes, startServer, temporaryFolder } from "./processes.ts";

const FILES = 100;
const ROUNDS = 9;
const RATE_LIMIT = 0.7;
const SLOW_READERS = 20;
const MEMORY_LIMIT = 64e6;
const BLOCK = 2 ** 20;

/** The files of a ZIP, and one plain file of their size. */
async function writeFiles(folder: string, each: number): Promise<void> {
  await mkdir(join(folder, "files"));
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  const blocks = Buffer.concat(Array.from({ length: BLOCK / block.length }, () => block));
  const write = async (path: string, size: number) => {
    const file = await open(path, "w");
    for (let at = 0; at < size; at += BLOCK) await file.write(blocks, 0, Math.min(BLOCK, size - at));
    await file.close();
  };
  for (let index = 0; index < FILES; index += 1) await write(join(folder, "files", `${index}.bin`), each);
  await write(join(folder, "plain"), each * FILES);
}

/** Bytes a second. */
async function rateOf(url: string, atLeast: number): Promise<number> {
  const said = await $`curl -sS --fail -o /dev/null -w ${"%{size_download} %{time_total}"} ${url}`
    .quiet()
    .text();
  const [downloaded = 0, seconds = 0] = said.split(" ").map(Number);
  if (downloaded < atLeast) throw new Error(`${downloaded} of ${atLeast} bytes came back`);
  return downloaded / seconds;
}

/** Readers who take a little and leave: what they don't take must not be held for them. */
async function readSlowly(url: string): Promise<void> {
  const args = ["-sS", "-o", "/dev/null", "--limit-rate", "64K", "--max-time", "3"];
  const readers = Array.from({ length: SLOW_READERS }, () => $`curl ${args} ${url}`.quiet().nothrow());
  const TIMED_OUT = 28;
  for (const { exitCode, stderr } of await Promise.all(readers)) {
    if (exitCode !== TIMED_OUT) throw new Error(`a slow reader ended with ${exitCode}: ${stderr}`);
  }
}

async function run({ size }: BenchOptions): Promise<Figure[]> {
  await using folder = await temporaryFolder();
  const each = Math.floor(size / FILES);
  await writeFiles(folder.path, each);
  const port = freePort();
  await using server = await startServer([process.execPath, join(import.meta.dir, "zip-server.ts")], {
    url: `http://127.0.0.1:${port}`,
    folder: folder.path,
    env: { PORT: String(port), FOLDER: folder.path },
  });
  const zip = () => rateOf(`${server.url}/zip`, each * FILES);
  const plain = () => rateOf(`${server.url}/plain`, each * FILES);
  const idle = await residentBytes(server.pid);
  await forgetPeak(server.pid);
  await inTurn(1, zip, plain);
  const { ours, baseline } = await inTurn(ROUNDS, zip, plain);
  await readSlowly(`${server.url}/zip`);
  const growth = (await peakBytes(server.pid)) - idle;
  const ratio = median(ours) / median(baseline);
  return [
    {
      what: `ZIP of ${FILES} × ${mb(each)}`,
      ours: `${mb(median(ours))}/s`,
      baseline: `one plain file of that size ${mb(median(baseline))}/s`,
      compared: times(ratio),
      limit: `at least ${times(RATE_LIMIT)}`,
      holds: ratio >= RATE_LIMIT,
    },
    {
      what: `memory growth over ${ROUNDS + 1} such downloads, then ${SLOW_READERS} slow ones at once`,
      ours: mb(growth),
      baseline: `${mb(idle)} when idle`,
      compared: mb(growth),
      limit: `at most ${mb(MEMORY_LIMIT)}`,
      holds: growth <= MEMORY_LIMIT,
    },
  ];
}

export const zipBench: Bench = { name: "zip", run };
