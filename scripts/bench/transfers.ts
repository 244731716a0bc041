import { open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import { freePort } from "../../src/lib/free-port.ts";
import { type Bench, type BenchOptions, type Figure, inTurn, mb, median, times } from "./figure.ts";
import {
  binary,
  forgetPeak,
  peakBytes,
  type Running,
  residentBytes,
  startBuilt,
  startServer,
  temporaryFolder,
} from "./processes.ts";

const ROUNDS = 3;
const MEMORY_LIMIT = 64e6;
const UPLOAD_LIMIT = 0.8;
const DOWNLOAD_LIMIT = 0.75;
const CHUNK = 16 * 2 ** 20;

/** Random bytes, so that no layer can shorten them. */
async function writeRandom(path: string, size: number): Promise<void> {
  const file = await open(path, "w");
  for (let written = 0; written < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - written));
    for (let from = 0; from < chunk.length; from += 65_536)
      crypto.getRandomValues(chunk.subarray(from, from + 65_536));
    written += (await file.write(chunk)).bytesWritten;
  }
  await file.sync();
  await file.close();
}

/** Seconds that curl took. What is still to be written is written first, so that no round pays for the one before. */
async function curl(...args: string[]): Promise<number> {
  await $`sync`.quiet();
  const [answer = "", seconds = ""] = (
    await $`curl -sS --fail -w ${"\n%{time_total}"} ${args}`.quiet().text()
  ).split("\n");
  if (answer === "none") throw new Error("no answer");
  return Number(seconds);
}

async function uploadLink({ folder }: Running): Promise<string> {
  const json = await $`${binary} files link --owner bench --json`.cwd(folder).quiet().json();
  return json.url;
}

async function upload(wisbot: Running, path: string): Promise<{ seconds: number; share: string }> {
  const link = await uploadLink(wisbot);
  await $`sync`.quiet();
  const started = performance.now();
  const share = (await $`curl -sS --fail -T ${path} ${link}/`.quiet().text()).trim();
  return { seconds: (performance.now() - started) / 1000, share };
}

/** nginx, sending files by sendfile; undefined where it is not installed. */
async function startNginx(folder: string): Promise<Running | undefined> {
  if (Bun.which("nginx", { PATH: `${process.env.PATH}:/usr/sbin` }) === null) return undefined;
  const port = freePort();
  const config = join(folder, "nginx.conf");
  await writeFile(
    config,
    `daemon off; pid ${folder}/nginx.pid; error_log stderr error; worker_processes 1; ${process.getuid?.() === 0 ? "user root;" : ""}
     events {}
     http { access_log off; sendfile on; tcp_nopush on; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
       fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
       server { listen 127.0.0.1:${port}; root ${folder}; } }`,
  );
  const url = `http://127.0.0.1:${port}`;
  const PATH = `${process.env.PATH}:/usr/sbin`;
  return startServer(["nginx", "-p", folder, "-c", config], { url, folder, env: { PATH } });
}

async function measureUploads(wisbot: Running, bare: Running, file: string, size: number) {
  const shares: string[] = [];
  const idle = await residentBytes(wisbot.pid);
  await forgetPeak(wisbot.pid);
  const seen = await inTurn(
    ROUNDS,
    async () => {
      const { seconds, share } = await upload(wisbot, file);
      shares.push(share);
      return seconds;
    },
    () => curl("-o", "/dev/null", "-T", file, `${bare.url}/blob`),
  );
  const rate = (values: number[]) => size / median(values);
  return { idle, share: shares[0] ?? "", ours: rate(seen.ours), baseline: rate(seen.baseline) };
}

async function run({ size }: BenchOptions): Promise<Figure[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "random.bin");
  await writeRandom(file, size);
  const port = freePort();
  await using bare = await startServer([process.execPath, join(import.meta.dir, "bare-server.ts")], {
    url: `http://127.0.0.1:${port}`,
    folder: folder.path,
    env: { PORT: String(port), FOLDER: folder.path },
  });
  await using wisbot = await startBuilt({
    files: { max_file_size: size * 2, max_bytes_per_user: size * 10, min_free_disk: 1 },
  });
  await using opened = new AsyncDisposableStack();
  const nginx = opened.use(await startNginx(folder.path));

  const up = await measureUploads(wisbot, bare, file, size);
  const peer = nginx
    ? { name: "nginx", url: `${nginx.url}/random.bin` }
    : { name: "a bare Bun.file (no nginx here)", url: `${bare.url}/blob` };
  const fetchFrom = (url: string) => curl("-o", "/dev/null", url);
  const download = `${up.share}/download`;
  await inTurn(
    1,
    () => fetchFrom(download),
    () => fetchFrom(peer.url),
  );
  const down = await inTurn(
    ROUNDS,
    () => fetchFrom(download),
    () => fetchFrom(peer.url),
  );
  const growth = (await peakBytes(wisbot.pid)) - up.idle;
  await rm(file);

  const [downOurs, downPeer] = [size / median(down.ours), size / median(down.baseline)];
  const what = `${(size / 2 ** 30).toFixed(2)} GiB`;
  const perSecond = (rate: number) => `${mb(rate)}/s`;
  return [
    {
      what: `upload of ${what}`,
      ours: perSecond(up.ours),
      baseline: `a bare hash-and-write on Bun ${perSecond(up.baseline)}`,
      compared: times(up.ours / up.baseline),
      limit: `at least ${times(UPLOAD_LIMIT)}`,
      holds: up.ours / up.baseline >= UPLOAD_LIMIT,
    },
    {
      what: `download of ${what}`,
      ours: perSecond(downOurs),
      baseline: `${peer.name} ${perSecond(downPeer)}`,
      compared: times(downOurs / downPeer),
      limit: `at least ${times(DOWNLOAD_LIMIT)}`,
      holds: downOurs / downPeer >= DOWNLOAD_LIMIT,
    },
    {
      what: `memory growth over ${ROUNDS} uploads and ${ROUNDS + 1} downloads of ${what}`,
      ours: mb(growth),
      baseline: `${mb(up.idle)} when idle`,
      compared: mb(growth),
      limit: mb(MEMORY_LIMIT),
      holds: growth < MEMORY_LIMIT,
    },
  ];
}

export const transfers: Bench = { name: "transfers", run };
