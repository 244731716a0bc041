import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $, type Socket } from "bun";
import { freePort } from "../../src/lib/free-port.ts";
import { type Bench, type Figure, inTurn, percentile, times } from "./figure.ts";
import { binary, startBuilt, startServer, temporaryFolder } from "./processes.ts";

const SIZE = 65_536;
const CONNECTIONS = 16;
const WARM_UP_MS = 2_000;
const ROUND_MS = 2_000;
const ROUNDS = 8;
const LIMIT = 0.8;

// One client may ask 600 times a minute. So this one is a proxy that is trusted, and asks for as many clients as it
// takes: what serves is the executable as everybody has it, and nothing of it is turned off.
const CLIENTS = 8_192;
const HEAD_END = Buffer.from("\r\n\r\n");

/** What is left of the answer that a connection is receiving. */
interface Receiving {
  head: Buffer;
  bodyLeft: number;
}

/** Requests for `url`, one of each client: the same bytes go to both servers. */
function requestsFor(url: string): Buffer[] {
  const { pathname, host } = new URL(url);
  const address = (index: number) => `10.0.${index >> 8}.${index & 255}`;
  return Array.from({ length: CLIENTS }, (_, index) =>
    Buffer.from(
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\nX-Forwarded-For: ${address(index)}\r\n\r\n`,
    ),
  );
}

function bodyLength(head: string): number {
  const length = /^content-length: (\d+)\r$/im.exec(`${head}\r\n`)?.[1];
  if (!head.startsWith("HTTP/1.1 200 ") || Number(length) !== SIZE) throw new Error(`answered:\n${head}`);
  return SIZE;
}

/**
 * Downloads over kept connections, one request at a time on each, for `ms`; gives whole downloads a second. Bytes are
 * counted and dropped: fetch would be the slower side of the two. Every answer's head is read, so that no refusal counts.
 */
async function downloadsPerSecond(requests: Buffer[], url: string, ms: number): Promise<number> {
  const { hostname, port } = new URL(url);
  const done = Promise.withResolvers<void>();
  let asked = 0;
  let downloads = 0;
  const ask = (socket: Socket<Receiving>) => {
    const request = requests[asked % CLIENTS];
    asked += 1;
    // So few bytes, and nothing before them on the way: they go whole.
    if (request && socket.write(request) !== request.length) throw new Error("a request was cut");
  };

  function take(socket: Socket<Receiving>, chunk: Buffer): void {
    const { data } = socket;
    let body = chunk.length;
    if (data.bodyLeft === 0) {
      data.head = data.head.length === 0 ? chunk : Buffer.concat([data.head, chunk]);
      const end = data.head.indexOf(HEAD_END);
      if (end < 0) return;
      data.bodyLeft = bodyLength(data.head.toString("latin1", 0, end));
      body = data.head.length - end - HEAD_END.length;
      data.head = Buffer.alloc(0);
    }
    data.bodyLeft -= body;
    if (data.bodyLeft < 0) throw new Error("more bytes than were promised");
    if (data.bodyLeft > 0) return;
    downloads += 1;
    ask(socket);
  }

  const sockets = await Promise.all(
    Array.from({ length: CONNECTIONS }, () =>
      Bun.connect<Receiving>({
        hostname,
        port: Number(port),
        data: { head: Buffer.alloc(0), bodyLeft: 0 },
        socket: {
          data: take,
          error: (_, error) => done.reject(error),
          close: () => done.reject(new Error(`${url} closed a connection`)),
        },
      }),
    ),
  );
  const started = performance.now();
  const timer = setTimeout(() => done.resolve(), ms);
  for (const socket of sockets) ask(socket);
  await done.promise.finally(() => clearTimeout(timer));
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
  await using wisbot = await startBuilt({ web: { trusted_proxies: ["loopback"] } });
  const added: { url: string } = await $`${binary} files add ${file} --json`
    .cwd(wisbot.folder)
    .quiet()
    .json();
  const urls = { ours: `${added.url}/download`, bare: `${bare.url}/small.bin` };
  const requests = { ours: requestsFor(urls.ours), bare: requestsFor(urls.bare) };
  const ours = (ms: number) => downloadsPerSecond(requests.ours, urls.ours, ms);
  const baseline = (ms: number) => downloadsPerSecond(requests.bare, urls.bare, ms);

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
