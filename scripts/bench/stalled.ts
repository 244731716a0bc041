import { join } from "node:path";
import { hashCapability, newCapability } from "../../src/lib/capability.ts";
import { openStore } from "../../src/store/open.ts";
import { tusClient } from "../../src/testing/tus-client.ts";
import { type Bench, type BenchOptions, type Figure, mb } from "./figure.ts";
import {
  forgetPeak,
  peakBytes,
  type Running,
  residentBytes,
  startBuilt,
  startScript,
  temporaryFolder,
} from "./processes.ts";
import { openRawClient, type RawClient } from "./raw-client.ts";

const UPLOADS = 200;
const STALLED = UPLOADS / 2;
const ROUNDS = 2;
const MEMORY_LIMIT = 150e6;
/** What everybody sends before anybody goes on; what a stalled sender leaves it at. */
const FIRST = 64 * 1024;
const MOST = 5e6;
/**
 * Bytes a second of each sender, as homes and phones have them. At the rate of a loopback it would be Bun's memory that
 * is measured: it holds a megabyte of every body that comes faster than it is read [oven-sh/bun#36006].
 */
const PACE = 500_000;
/** So few that each owner is within the default quota, and each address within what one may send at once. */
const OF_AN_OWNER = 10;
const OF_AN_ADDRESS = 4;
const HOUR = 3_600_000;

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const block = crypto.getRandomValues(new Uint8Array(65_536));

/** Open upload links. Straight into the database: the command line would take a minute for so many. */
async function mintLinks({ folder, url }: Running): Promise<string[]> {
  await using store = await openStore({ dataDir: join(folder, "data"), log: quiet, migrate: false });
  const tickets = Array.from({ length: UPLOADS }, newCapability);
  const owners = Array.from({ length: UPLOADS / OF_AN_OWNER }, newCapability);
  const now = Date.now();
  for (const [index, ticket] of tickets.entries()) {
    const row = {
      id: newCapability(),
      ticketHash: hashCapability(ticket),
      ownerId: owners[index % owners.length] ?? "",
      name: null,
      size: 0,
      origin: null,
      asker: null,
      createdAt: now,
      linkExpiresAt: now + HOUR,
      uploadKey: null,
      length: null,
      contentType: null,
    };
    if (!(await store.files.insert(row, { maxFiles: OF_AN_OWNER, maxBytes: 0 }))) throw new Error("no link");
  }
  return tickets.map((ticket) => `${url}/u/${ticket}`);
}

interface Sender extends Disposable {
  client: RawClient;
  /** Sends all that is left at its pace, and waits for the answer. */
  finish(): Promise<void>;
}

/** Begins an upload, whose request's head is given, and leaves it in the middle. */
async function begin(
  head: string,
  { url, from, size }: { url: string; from: string; size: number },
): Promise<Sender> {
  const client = await openRawClient(url, from);
  let left = size;

  async function send(bytes: Uint8Array): Promise<void> {
    const some = bytes.subarray(0, left);
    left -= some.length;
    await client.write(some);
  }

  await client.write(head);
  // No two have the same bytes: those would not be kept twice.
  await send(crypto.getRandomValues(new Uint8Array(32)));
  while (left > size - FIRST) await send(block);
  return {
    client,
    async finish() {
      const [started, before] = [performance.now(), left];
      while (left > 0) {
        await send(block);
        const due = started + ((before - left) * 1000) / PACE;
        await Bun.sleep(Math.max(0, due - performance.now()));
      }
      await client.answer();
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

type Heads = (index: number, size: number) => Promise<string>;

/** Every second upload is a PATCH of a resumable one, the others are PUTs. */
async function headsFor(wisbot: Running): Promise<Heads> {
  const links = await mintLinks(wisbot);
  return async (index, size) => {
    const link = links[index] ?? "";
    const tus = tusClient(link);
    if (index % 2 === 0) return tus.patchHead(await tus.begin(size), 0, size);
    return putHead(`${link}/a.bin`, size);
  };
}

function putHead(address: string, size: number): string {
  const { host, pathname } = new URL(address);
  return `PUT ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\n\r\n`;
}

/** All at once, half of them stalled until the others are done. */
async function round({ url }: Running, heads: Heads, size: number): Promise<void> {
  using stack = new DisposableStack();
  const senders: Sender[] = [];
  // One after the other: all resumable ones are asked for from one address.
  for (let index = 0; index < UPLOADS; index += 1) {
    const from = `127.0.1.${1 + Math.floor(index / OF_AN_ADDRESS)}`;
    senders.push(stack.use(await begin(await heads(index, size), { url, from, size })));
  }
  const [stalled, sending] = [senders.slice(0, STALLED), senders.slice(STALLED)];
  await Promise.all(sending.map((sender) => sender.finish()));
  if (stalled.some(({ client }) => client.answers > 0))
    throw new Error("a stalled upload has ended by itself");
  await Promise.all(stalled.map((sender) => sender.finish()));
}

interface Memory {
  idle: number;
  peak: number;
}

async function memoryOf(server: Running, size: number, heads: () => Promise<Heads>): Promise<Memory> {
  const idle = await residentBytes(server.pid);
  await forgetPeak(server.pid);
  for (let done = 0; done < ROUNDS; done += 1) await round(server, await heads(), size);
  return { idle, peak: await peakBytes(server.pid) };
}

async function run({ size }: BenchOptions): Promise<Figure[]> {
  const each = Math.max(FIRST * 2, Math.min(MOST, Math.floor(size / UPLOADS)));
  await using folder = await temporaryFolder();
  await using bare = await startScript("bare-server.ts", { folder: folder.path });
  await using wisbot = await startBuilt({});
  const baseline = await memoryOf(
    bare,
    each,
    async () => async (index) => putHead(`${bare.url}/${index}`, each),
  );
  const { idle, peak } = await memoryOf(wisbot, each, () => headsFor(wisbot));
  return [
    {
      what: `the most memory with ${UPLOADS} uploads of ${mb(each)} at once, ${mb(PACE)}/s each, ${STALLED} of them stalled, ${ROUNDS} times`,
      ours: `${mb(peak)}, ${mb(idle)} when idle`,
      baseline: `a bare hash-and-write on Bun ${mb(baseline.peak)}, ${mb(baseline.idle)} when idle`,
      compared: mb(peak),
      limit: `under ${mb(MEMORY_LIMIT)}`,
      holds: peak < MEMORY_LIMIT,
    },
  ];
}

export const stalled: Bench = { name: "stalled", run };
