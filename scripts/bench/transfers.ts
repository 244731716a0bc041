import { open, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
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
  startScript,
  startServer,
  temporaryFolder,
} from "./processes.ts";

const ROUNDS = 6;
/** At most so many copies of the file lie on the disk at once: its source, the bare server's, ours, one to spare. */
const COPIES = 4;
const SETTLED_MS = 2_000;
const MEMORY_LIMIT = 64e6;
const UPLOAD_LIMIT = 0.9;
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

/** What curl was answered and took. What is still to be written is written first, so that no round pays for another. */
async function curl(...args: string[]): Promise<{ body: string; seconds: number; downloaded: number }> {
  await $`sync`.quiet();
  const text = await $`curl -sS --fail -w ${"\n%{size_download} %{time_total}"} ${args}`.quiet().text();
  const [downloaded, seconds] = text.slice(text.lastIndexOf("\n")).trim().split(" ").map(Number);
  if (downloaded === undefined || seconds === undefined) throw new Error(`curl said ${text}`);
  return { body: text.slice(0, text.lastIndexOf("\n")).trim(), seconds, downloaded };
}

const idOf = (share: string) => share.slice(share.lastIndexOf("/") + 1);

/** Uploads the file through a link of its own, after the one before is gone. Gives its share page too. */
async function upload({ folder }: Running, file: string, before: string | undefined) {
  if (before !== undefined) await $`${binary} files rm ${idOf(before)}`.cwd(folder).quiet();
  const link: { url: string } = await $`${binary} files link --owner bench --json`.cwd(folder).quiet().json();
  const { body: share, seconds } = await curl("-T", file, `${link.url}/`);
  return { share, seconds };
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
       server { listen 127.0.0.1:${port}; root ${folder}; location = / { return 200; } } }`,
  );
  const url = `http://127.0.0.1:${port}`;
  const PATH = `${process.env.PATH}:/usr/sbin`;
  return startServer(["nginx", "-p", folder, "-c", config], { url, folder, env: { PATH } });
}

/** Neither side replaces a file while it is timed: to free gigabytes takes as long as to write some. */
async function measureUploads(wisbot: Running, bare: Running, file: string, size: number) {
  await Bun.sleep(SETTLED_MS);
  const idle = await residentBytes(wisbot.pid);
  await forgetPeak(wisbot.pid);
  let share: string | undefined;
  const seen = await inTurn(
    ROUNDS,
    async () => {
      const done = await upload(wisbot, file, share);
      share = done.share;
      return done.seconds;
    },
    async () => {
      await rm(join(bare.folder, "blob"), { force: true });
      return (await curl("-T", file, `${bare.url}/blob`)).seconds;
    },
  );
  const rate = (values: number[]) => size / median(values);
  return { idle, share: share ?? "", ours: rate(seen.ours), baseline: rate(seen.baseline) };
}

async function assertRoom(size: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  const wanted = size * COPIES;
  if (bavail * bsize < wanted)
    throw new Error(`${tmpdir()} needs ${mb(wanted)} free; --size takes a smaller file`);
}

async function run({ size }: BenchOptions): Promise<Figure[]> {
  await assertRoom(size);
  await using folder = await temporaryFolder();
  const file = join(folder.path, "random.bin");
  await writeRandom(file, size);
  await using bare = await startScript("bare-server.ts", { folder: folder.path });
  await using wisbot = await startBuilt({
    files: { max_file_size: size * 2, max_bytes_per_user: size * 10, min_free_disk: 1 },
  });
  await using opened = new AsyncDisposableStack();
  const nginx = opened.use(await startNginx(folder.path));

  const up = await measureUploads(wisbot, bare, file, size);
  const peer = nginx
    ? { name: "nginx", url: `${nginx.url}/random.bin` }
    : { name: "a bare Bun.file (no nginx here)", url: `${bare.url}/blob` };
  const fetchFrom = async (url: string) => {
    const { seconds, downloaded } = await curl("-o", "/dev/null", url);
    if (downloaded !== size) throw new Error(`${downloaded} of ${size} bytes came back`);
    return seconds;
  };
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
