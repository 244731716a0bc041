import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileStore } from "@tus/file-store";
import { EVENTS, Server, type Upload } from "@tus/server";
import { UploadPage } from "../../templates/upload.tsx";
import { assetUrls, findAsset } from "../web/assets.ts";

// The policy of every page (src/web/headers.ts), and nothing relaxed.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TICKET = "ticket-of-the-tests-0001";
const SHARE = "/f/share-of-the-tests-00001";
const DAY = 86_400_000;

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
  /** Answers such requests so until it is called without one. */
  refuse(refusal?: Refusal): void;
  /** Ends every connection, as a network does that goes away. */
  cut(): void;
}

/** The upload page's side of a server, as small as the protocol allows: one link, tus, everything else in memory. */
export async function openTusDesk({ maxBytes = 250_000_000 } = {}): Promise<TusDesk> {
  const directory = await mkdtemp(join(tmpdir(), "wisbot-tus-"));
  const settings: Record<string, unknown>[] = [];
  const requests: string[] = [];
  const ready: Upload[] = [];
  const uploads = new Map<string, Upload>();
  let refusal: Refusal | undefined;
  let isShared = false;

  const expected = () => settings.at(-1)?.files;
  const tus = new Server({
    path: "/api/uploads",
    datastore: new FileStore({ directory }),
    relativeLocation: true,
    lockDrainTimeout: 300,
    async onUploadCreate(_, upload) {
      uploads.set(upload.id, upload);
      return {};
    },
    async onUploadFinish(_, upload) {
      ready.push(upload);
      if (ready.length === expected()) isShared = true;
      return { headers: { "Content-Location": SHARE } };
    },
  });

  tus.on(EVENTS.POST_TERMINATE, (_request, _response, id) => uploads.delete(id));

  function refusedBy(request: Request): boolean {
    if (refusal?.method !== request.method) return false;
    if (!refusal.name) return true;
    const id = request.url.split("/").at(-1) ?? "";
    const created = request.headers.get("upload-metadata") ?? "";
    return uploads.get(id)?.metadata?.filename === refusal.name || created.includes(btoa(refusal.name));
  }

  async function transfer(request: Request): Promise<Response> {
    requests.push(request.method);
    if (refusal && refusedBy(request)) {
      const { status, detail, hint } = refusal;
      const problem = { type: "urn:wisbot:problem:test", detail, hint, error_id: "e".repeat(32) };
      const type = "application/problem+json";
      return new Response(JSON.stringify(problem), { status, headers: { "content-type": type } });
    }
    const response = await tus.handleWeb(request);
    const { headers } = response;
    const isWhole = headers.get("upload-offset") === headers.get("upload-length");
    if (request.method === "HEAD" && response.ok && isWhole) headers.set("Content-Location", SHARE);
    return response;
  }

  function page(): Response {
    const limits = { maxFileSize: maxBytes, maxBytes, expireAfter: 7 * DAY, maxExpireAfter: 30 * DAY };
    const address = `/u/${TICKET}`;
    const html = UploadPage({
      assets: assetUrls,
      version: "test",
      address,
      link: `${line.origin}${address}/`,
      maxBytes,
      limits,
      usage: { bytes: 0 },
      spaceAt: undefined,
    expiresAt: Date.now() + DAY,
      now: Date.now(),
    });
    const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY };
    return new Response(`<!DOCTYPE html>${html}`, { headers });
  }

  function state(): Response {
    const files = [...uploads.values()].map(({ id, metadata, size }) => {
      const isReady = ready.some((upload) => upload.id === id);
      const received = Bun.file(join(directory, id)).size;
      return { name: metadata?.filename, size, state: isReady ? "ready" : "uploading", received };
    });
    const isBundle = expected() !== undefined && expected() !== 1;
    const body = { state: isShared ? "used" : "open", files, expected: isBundle ? expected() : null };
    return Response.json({ ...body, ...(isShared && { url: SHARE }) });
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    routes: {
      [`/u/${TICKET}`]: {
        GET: (request) => (request.headers.get("accept")?.includes("text/html") ? page() : state()),
        POST: async (request) =>
          Response.json([...(await request.formData()).entries()].map(([name]) => name)),
      },
      [`/u/${TICKET}/settings`]: {
        POST: async (request) => {
          settings.push(await request.json());
          return new Response(null, { status: 204 });
        },
      },
      [`/u/${TICKET}/finish`]: {
        POST() {
          isShared = true;
          return new Response(`${SHARE}\n`, { status: 201 });
        },
      },
      "/api/uploads": transfer,
      "/api/uploads/*": transfer,
    },
    fetch(request) {
      const asset = findAsset(new URL(request.url).pathname);
      if (!asset) return new Response("nothing here", { status: 404 });
      return new Response(asset.text, { headers: { "content-type": asset.type } });
    },
  });

  const line = await openLine(server.url);
  return {
    page: `${line.origin}/u/${TICKET}`,
    settings,
    requests,
    async arrived() {
      const files = ready.map(async ({ id, metadata }) => {
        const name = metadata?.relativePath ?? metadata?.filename ?? "";
        return [name, await readFile(join(directory, id))] as const;
      });
      return new Map(await Promise.all(files));
    },
    refuse(next) {
      refusal = next;
    },
    cut: line.cut,
    async [Symbol.asyncDispose]() {
      await line.close();
      await server.stop(true);
      await rm(directory, { recursive: true, force: true });
    },
  };
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
