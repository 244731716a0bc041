import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the CDN misbehaves with a file. */
export type CdnTrouble =
  /** Points elsewhere. */
  | { kind: "redirect"; to: string }
  /** Announces `length` bytes and sends all that it has. */
  | { kind: "lie"; length: number }
  /** Sends `after` bytes and then nothing more. */
  | { kind: "stall"; after: number }
  /** Breaks the connection after `after` bytes. */
  | { kind: "cut"; after: number }
  | { kind: "status"; status: number }
  /** Sends `length` bytes and never says how many. */
  | { kind: "endless"; length: number };

export interface UploadedFile {
  /** n of `files[n]`. */
  index: number;
  name: string;
  contentType: string;
  bytes: Uint8Array;
}

export interface CdnFile {
  /** Below /attachments/. */
  path: string;
  contentType: string;
  bytes: Uint8Array;
  trouble?: CdnTrouble | undefined;
}

/** Where attachments lie: a host of its own, as Discord's CDN is. */
export interface Cdn {
  /** As config.discord.cdn takes it: `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  /** Gives the signed address. */
  put(file: CdnFile): string;
  stop(): Promise<void>;
}

const CHUNK = 64 * 1024;

export async function startCdn(): Promise<Cdn> {
  const files = new Map<string, CdnFile>();
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://cdn").pathname;
    requests.push(path);
    const file = files.get(path);
    if (!file) return void response.writeHead(404).end();
    // Whoever downloads may leave in the middle: that is what tests are about.
    serve(file, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  return {
    origin,
    requests,
    put(file) {
      const path = `/attachments/${file.path}`;
      files.set(path, file);
      // Real links carry an expiry, an issue time and a signature.
      return `${origin}${path}?ex=7fffffff&is=65000000&hm=${"0".repeat(64)}&`;
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(file: CdnFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { bytes, contentType, trouble } = file;
  if (trouble?.kind === "redirect") return void response.writeHead(302, { location: trouble.to }).end();
  if (trouble?.kind === "status") return void response.writeHead(trouble.status).end();
  if (trouble?.kind === "endless") return pour(response, contentType, trouble.length);
  const length = trouble?.kind === "lie" ? trouble.length : bytes.byteLength;
  response.writeHead(200, { "content-type": contentType, "content-length": length });
  if (request.method === "HEAD") return void response.end();
  if (trouble?.kind === "stall" || trouble?.kind === "cut") {
    await send(response, bytes.subarray(0, trouble.after));
    if (trouble.kind === "cut") response.destroy();
    return;
  }
  await send(response, bytes);
  response.end();
}

async function pour(response: ServerResponse, contentType: string, length: number): Promise<void> {
  response.writeHead(200, { "content-type": contentType });
  const chunk = new Uint8Array(CHUNK);
  for (let sent = 0; sent < length && !response.destroyed; sent += CHUNK)
    await send(response, chunk.subarray(0, Math.min(CHUNK, length - sent)));
  response.end();
}

/** Resolves when the bytes are on their way, or when the other side is gone. */
async function send(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  if (bytes.byteLength === 0) return response.flushHeaders();
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("close", resolve);
  response.write(bytes, () => resolve());
  await promise;
  response.off("close", resolve);
}
