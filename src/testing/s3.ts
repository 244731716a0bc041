import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";

// See docs/decisions/0018-s3.md for why this one.
const VERSION = "v1.8.0";
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const CACHE = fileURLToPath(new URL(`../../node_modules/.cache/versitygw-${VERSION}`, import.meta.url));

const REGION = "us-east-1";
const BUCKET = "community";

/**
 * The program of the S3 server: `$VERSITYGW`, else one on the PATH, else one built from Go's module registry, which
 * takes a minute the first time. Undefined: none of them, and no Go to build it with. Throws when the build fails.
 */
export async function findS3Server(): Promise<string | undefined> {
  const found = process.env.VERSITYGW ?? Bun.which("versitygw");
  if (found) return found;
  const built = join(CACHE, "versitygw");
  if (await Bun.file(built).exists()) return built;
  const go = Bun.which("go");
  if (!go) return undefined;
  const build = Bun.spawn([go, "install", MODULE], {
    env: { ...process.env, GOBIN: CACHE },
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(build.stderr).text();
  if ((await build.exited) === 0) return built;
  throw new Error(
    `The S3 server for the tests could not be built. Install ${MODULE}, or set VERSITYGW.\n${said}`,
  );
}

export interface TestS3 extends AsyncDisposable {
  endpoint: string;
  port: number;
  region: string;
  /** It is there. */
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A real S3-compatible server in a process of its own, with one empty bucket in a folder that goes with it. */
export async function startS3(program: string): Promise<TestS3> {
  const folder = await mkdtemp(join(tmpdir(), "wisbot-s3-"));
  const [data, sidecar] = [join(folder, "data"), join(folder, "sidecar")];
  for (const dir of [join(data, BUCKET), sidecar]) await mkdir(dir, { recursive: true });
  const keys = { accessKeyId: "AKIATESTS", secretAccessKey: crypto.randomUUID() };
  const port = freePort();
  // Attributes in files beside the data: not every temporary folder is on a disk that has extended ones.
  const server = Bun.spawn(
    [
      program,
      "--port",
      `127.0.0.1:${port}`,
      "--region",
      REGION,
      "--quiet",
      "posix",
      "--sidecar",
      sidecar,
      data,
    ],
    {
      env: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  await Promise.race([answers(endpoint), server.exited.then(() => ended(server.stderr))]);

  return {
    ...keys,
    endpoint,
    port,
    region: REGION,
    bucket: BUCKET,
    async [Symbol.asyncDispose]() {
      // Asked politely it waits for its clients' idle connections.
      server.kill("SIGKILL");
      await server.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    try {
      await fetch(endpoint);
      return;
    } catch (error) {
      if (tries === 499) throw error;
      // It says nothing once it listens.
      await Bun.sleep(20);
    }
  }
}

async function ended(stderr: ReadableStream<Uint8Array>): Promise<never> {
  throw new Error(`The S3 server ended at once: ${await new Response(stderr).text()}`);
}

function freePort(): number {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  return listener.port;
}

export interface Relay extends AsyncDisposable {
  /** The way to the server through here. */
  endpoint: string;
  /** Cuts every connection once so many more bytes have come, and lets none in until it is mended. */
  cutAfter(bytes: number): void;
  mend(): void;
}

/** Passes connections on to a port of this machine, until it shall be as if nobody were there. */
export async function startRelay(port: number): Promise<Relay> {
  const clients = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;

  function cut() {
    for (const client of clients) client.destroy();
  }

  const server = createServer((client) => {
    if (left <= 0) return void client.destroy();
    clients.add(client);
    client.on("data", (bytes) => {
      left -= bytes.length;
      if (left <= 0) cut();
    });
    // However a connection ends here, its two ends see it: that is all there is to do about it.
    pipeline(client, connect(port, "127.0.0.1"), client, () => clients.delete(client));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");

  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    cutAfter(bytes) {
      left = bytes;
    },
    mend() {
      left = Number.POSITIVE_INFINITY;
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
