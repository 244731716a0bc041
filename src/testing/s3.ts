import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";
import { S3Client } from "bun";

// Nothing but the runtime is imported here: the set-up asks for the server before the packages are installed.

/** Debian's package of the S3 server. See docs/decisions/0018-s3.md for why this one. */
export const S3_SERVER_PACKAGE = "python3-swift";

const SCRIPT = fileURLToPath(new URL("s3-server.py", import.meta.url));
const REGION = "us-east-1";
const BUCKET = "community";

/** The Python that has the S3 server: Debian's own, else the first on the PATH. Undefined: neither has it. */
export function findS3Server(): string | undefined {
  const pythons = ["/usr/bin/python3", Bun.which("python3")].filter((path) => path !== null);
  return pythons.find(hasServer);
}

function hasServer(python: string): boolean {
  if (!existsSync(python)) return false;
  const looking = "import importlib.util, sys; sys.exit(importlib.util.find_spec('swift.proxy') is None)";
  return Bun.spawnSync([python, "-I", "-c", looking]).exitCode === 0;
}

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface TestS3 extends AsyncDisposable, Keys {
  endpoint: string;
  port: number;
  region: string;
  /** It is there. */
  bucket: string;
}

/** A real S3-compatible server in a process of its own, with one empty bucket in a folder that goes with it. */
export async function startS3(python: string): Promise<TestS3> {
  // Ours alone: what the person has set for another Python must not get in its way.
  const server = Bun.spawn([python, "-I", SCRIPT], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const keys = { accessKeyId: "community:wisbot", secretAccessKey: crypto.randomUUID() };
  server.stdin.write(
    `${JSON.stringify({ access_key: keys.accessKeyId, secret_key: keys.secretAccessKey, region: REGION })}\n`,
  );
  await server.stdin.flush();
  const port = Number(await firstLine(server.stdout));
  const endpoint = `http://127.0.0.1:${port}`;
  await createBucket(endpoint, keys);

  return {
    ...keys,
    endpoint,
    port,
    region: REGION,
    bucket: BUCKET,
    async [Symbol.asyncDispose]() {
      await server.stdin.end();
      await server.exited;
    },
  };
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of output) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes("\n")) return text.trim();
  }
  throw new Error("The S3 server ended before it answered: it says why above.");
}

async function createBucket(endpoint: string, keys: Keys): Promise<void> {
  // The client has nothing for buckets; in this style an object's path is one.
  const client = new S3Client({ ...keys, endpoint, region: REGION, virtualHostedStyle: true });
  await client.write(BUCKET, "");
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
