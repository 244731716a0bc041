import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $, type Socket } from "bun";
import { freePort } from "../../src/lib/free-port.ts";
import { type Bench, type Figure, inTurn, percentile, times } from "./figure.ts";
import { binary, startBuilt, startServer, temporaryFolder } from "./processes.ts";

const SIZE = 65_536;
const CONNECTIONS = 16;
/** Until what is hot is compiled: a server runs for longer than this bench. */
const WARM_UP_MS = 6_000;
const ROUND_MS = 2_000;
const ROUNDS = 8;
const LIMIT = 0.8;

// One address may ask 600 times a minute, and the executable is measured with all of its limits on: so every connection
// gives way to one of another address after that many. Linux has all of 127.0.0.0/8.
const REQUESTS_OF_A_CLIENT = 500;
const HEAD_END = Buffer.from("\r\n\r\n");

let clients = 0;
function nextAddress(): string {
  clients += 1;
  return `127.${1 + (clients >> 16)}.${(clients >> 8) & 255}.${clients & 255}`;
}

interface Client {
  requests: number;
  /** What came so far of the answer's head. */
  head: Buffer;
  /** What is left of its body. */
  bodyLeft: number;
}

/** Whether the answer is the file. 429: addresses share counters, and another one has used this one's up. */
function isFile(head: string): boolean {
  if (head.startsWith("HTTP/1.1 429 ")) return false;
  const length = /^content-length: (\d+)\r$/im.exec(`${head}\r\n`)?.[1];
  if (!head.startsWith("HTTP/1.1 200 ") || Number(length) !== SIZE) throw new Error(`answered:\n${head}`);
  return true;
}

/**
 * Downloads over kept connections, one request at a time on each, for `ms`; gives whole downloads a second. Bytes are
 * counted and dropped: fetch would be the slower side of the two. Every answer's head is read, so that no refusal counts.
 */
async function downloadsPerSecond(url: string, ms: number): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url);
  const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\n\r\n`);
  const failed = Promise.withResolvers<never>();
  const sockets = new Set<Socket<Client>>();
  let downloads = 0;
  let over = false;

  function ask(socket: Socket<Client>): void {
    if (over) return;
    socket.data.requests += 1;
    // So few bytes, and nothing before them on the way: they go whole.
    if (socket.write(request) !== request.length) throw new Error("a request was cut");
  }

  function giveWay(socket: Socket<Client>): void {
    sockets.delete(socket);
    socket.terminate();
    connect().catch(failed.reject);
  }

  function take(socket: Socket<Client>, chunk: Buffer): void {
    const { data } = socket;
    let body = chunk.length;
    if (data.bodyLeft === 0) {
      data.head = data.head.length === 0 ? chunk : Buffer.concat([data.head, chunk]);
      const end = data.head.indexOf(HEAD_END);
      if (end < 0) return;
      if (!isFile(data.head.toString("latin1", 0, end))) {
        giveWay(socket);
        return;
      }
      data.bodyLeft = SIZE;
      body = data.head.length - end - HEAD_END.length;
      data.head = Buffer.alloc(0);
    }
    data.bodyLeft -= body;
    if (data.bodyLeft < 0) throw new Error("more bytes than were promised");
    if (data.bodyLeft > 0) return;
    downloads += 1;
    if (data.requests < REQUESTS_OF_A_CLIENT) ask(socket);
    else giveWay(socket);
  }

  async function connect(): Promise<void> {
    // Bun's types don't know it yet.
    const from = { localAddress: nextAddress() };
    await Bun.connect<Client>({
      hostname,
      port: Number(port),
      ...from,
      data: { requests: 0, head: Buffer.alloc(0), bodyLeft: 0 },
      socket: {
        open(socket) {
          if (socket.localAddress !== from.localAddress) throw new Error(`came from ${socket.localAddress}`);
          sockets.add(socket);
          ask(socket);
        },
        data: take,
        error: (_, error) => failed.reject(error),
        close(socket) {
          if (sockets.has(socket) && !over) failed.reject(new Error(`${url} closed a connection`));
        },
      },
    });
  }

  const started = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, connect));
  await Promise.race([Bun.sleep(ms), failed.promise]);
  over = true;
  const rate = (downloads * 1000) / (performance.now() - started);
  for (const socket of sockets) socket.terminate();
  return rate;
}

async function run(): Promise<Figure[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "small.bin");
  await writeFile(file, randomBytes(SIZE));
  const port = freePort();
  await using bare = await startServer([process.execPath, join(import.meta.dir, "small-file-server.ts")], {
    url: `http://127.0.0.1:${port}`,
    folder: folder.path,
    env: { PORT: String(port), FILE: file },
  });
  await using wisbot = await startBuilt({});
  const added: { url: string } = await $`${binary} files add ${file} --json`
    .cwd(wisbot.folder)
    .quiet()
    .json();
  const urls = { ours: `${added.url}/download`, bare: `${bare.url}/small.bin` };
  const ours = (ms: number) => downloadsPerSecond(urls.ours, ms);
  const baseline = (ms: number) => downloadsPerSecond(urls.bare, ms);

  await inTurn(
    1,
    () => ours(WARM_UP_MS),
    () => baseline(WARM_UP_MS),
  );
  const seen = await inTurn(
    ROUNDS,
    () => ours(ROUND_MS),
    () => baseline(ROUND_MS),
  );
  // The best of each: whatever else the machine does only takes away.
  const [best, bareBest] = [percentile(seen.ours, 1), percentile(seen.baseline, 1)];
  const perSecond = (rate: number) => `${rate.toFixed(0)}/s`;
  return [
    {
      what: `downloads of ${SIZE / 1024} KiB over ${CONNECTIONS} kept connections, best of ${ROUNDS} rounds`,
      ours: perSecond(best),
      baseline: `a bare Bun.file ${perSecond(bareBest)}`,
      compared: times(best / bareBest),
      limit: `at least ${times(LIMIT)}`,
      holds: best / bareBest >= LIMIT,
    },
  ];
}

export const smallDownloads: Bench = { name: "small-downloads", run };
