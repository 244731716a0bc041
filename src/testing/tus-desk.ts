import { connect, createServer, type Socket } from "node:net";
import type { FileRow } from "../files/ports.ts";
import { hashCapability } from "../lib/capability.ts";
import { TUS_PATH } from "../web/tus.ts";
import { openTestWeb } from "./open-test-web.ts";

interface Refusal {
  method: string;
  /** Only uploads of this file. */
  name?: string;
  status: number;
  detail: string;
  hint: string;
}

export interface TusDesk extends AsyncDisposable {
  /** The upload page. */
  readonly page: string;
  /** What was announced, in order. */
  readonly settings: Record<string, unknown>[];
  /** Requests of the upload protocol, such as `PATCH`. */
  readonly requests: string[];
  /** What has arrived whole, by its place in its folder or its name. */
  arrived(): Promise<Map<string, Buffer>>;
  /** Answers such requests so until it is called without one, as a proxy does that stands in between. */
  refuse(refusal?: Refusal): void;
  /** Ends every connection, as a network does that goes away. */
  cut(): void;
}

/** A real web edge with one upload link, behind a proxy that listens and refuses, and a line that can be cut. */
export async function openTusDesk({ maxBytes = 250_000_000 } = {}): Promise<TusDesk> {
  await using opening = new AsyncDisposableStack();
  const web = opening.use(
    await openTestWeb({ config: { files: { max_file_size: maxBytes, max_bytes_per_user: maxBytes } } }),
  );
  const ticket = (await web.link()).split("/").at(-1) ?? "";
  const settings: Record<string, unknown>[] = [];
  const requests: string[] = [];
  /** The names of uploads, by their addresses. */
  const names = new Map<string, string>();
  let refusal: Refusal | undefined;

  function refusedBy(request: Request, path: string): boolean {
    if (!refusal || !path.startsWith(TUS_PATH) || refusal.method !== request.method) return false;
    if (!refusal.name) return true;
    const created = request.headers.get("upload-metadata") ?? "";
    return names.get(path) === refusal.name || created.includes(btoa(refusal.name));
  }

  async function pass(request: Request, path: string): Promise<Response> {
    const { method, headers, signal } = request;
    // Read here, or else the body that goes on would have no length.
    const body = path.endsWith("/settings") ? await request.text() : request.body;
    if (typeof body === "string") settings.push(JSON.parse(body));
    const response = await fetch(`${web.url}${path}`, { method, headers, body, signal, redirect: "manual" });
    const address = response.headers.get("location");
    if (method === "POST" && path === TUS_PATH && address) names.set(address, nameIn(request));
    return response;
  }

  const proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (path.startsWith(TUS_PATH)) requests.push(request.method);
      if (!refusal || !refusedBy(request, path)) return await pass(request, path);
      const { status, detail, hint } = refusal;
      const problem = { type: "urn:wisbot:problem:test", detail, hint, error_id: "e".repeat(32) };
      const headers = { "content-type": "application/problem+json" };
      return new Response(JSON.stringify(problem), { status, headers });
    },
    // Whoever was cut off is answered by nobody.
    error: () => new Response("gone", { status: 502 }),
  });
  opening.defer(() => proxy.stop(true));
  const line = await openLine(proxy.url);
  opening.defer(async () => void (await line.close()));
  const opened = opening.move();

  async function rows(): Promise<FileRow[]> {
    const row = await web.index.findByTicket(hashCapability(ticket));
    if (!row || "outcome" in row) return [];
    return row.expected === null ? [row] : (await web.index.members(row.id)).map((member) => member.row);
  }

  return {
    page: `${line.origin}/u/${ticket}`,
    settings,
    requests,
    async arrived() {
      const files = (await rows())
        .filter(({ state }) => state === "ready")
        .map(async ({ path, name, blobKey }) => {
          const bytes = await (await web.blobs.open(blobKey ?? ""))?.bytes();
          return [path ?? name ?? "", Buffer.from(bytes ?? "")] as const;
        });
      return new Map(await Promise.all(files));
    },
    refuse(next) {
      refusal = next;
    },
    cut: line.cut,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The file's name in the metadata of an upload that begins. */
function nameIn(request: Request): string {
  const encoded = /filename ([A-Za-z0-9+/=]+)/.exec(request.headers.get("upload-metadata") ?? "")?.[1];
  return Buffer.from(encoded ?? "", "base64").toString();
}

/** A line to a server that can be cut. */
async function openLine(target: URL) {
  const open = new Set<Socket>();
  const line = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      // Whatever ends one half ends the other; how it ended is what the browser has to cope with.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  const address = line.address();
  if (address === null || typeof address === "string") throw new Error("the line has no port");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    origin: `http://127.0.0.1:${address.port}`,
    cut,
    close: () =>
      new Promise((resolve) => {
        line.close(resolve);
        cut();
      }),
  };
}
