import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RecordedRequest {
  method: string;
  path: string;
  /** Their names in small letters. */
  headers: IncomingMessage["headers"];
  body: unknown;
  /** Those that came with it, whole. */
  images: Uint8Array[];
}

export interface ModelServerDeps {
  /** 0 for a free one. */
  port: number;
  imagesOf(body: unknown): Uint8Array[];
  route(request: RecordedRequest, response: ServerResponse): void | Promise<void>;
}

/** What every stand-in for a model server is: HTTP on 127.0.0.1 that writes down what it was asked. */
export interface ModelServer {
  readonly origin: string;
  readonly port: number;
  /** In order of arrival. */
  readonly requests: readonly RecordedRequest[];
  stop(): Promise<void>;
}

export async function startModelServer({ port, imagesOf, route }: ModelServerDeps): Promise<ModelServer> {
  const requests: RecordedRequest[] = [];
  const server = createServer((request, response) => {
    // A client that leaves in the middle of a request is what tests are about: nothing to answer any more.
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? "/", "http://stand-in");
    const { method = "GET", headers } = request;
    const body = await readBody(request);
    const recorded = { method, path, headers, body, images: imagesOf(body) };
    requests.push(recorded);
    await route(recorded, response);
  }

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks).toString();
  return raw === "" ? undefined : JSON.parse(raw);
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}

export function text(response: ServerResponse, body: string, status = 200): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(body);
}

/** What arrives, and who waits for it: each arrival is taken once, in order. */
export function createArrivals<T>() {
  const untaken: T[] = [];
  const waiting: ((arrived: T) => void)[] = [];
  return {
    arrive(one: T): void {
      (waiting.shift() ?? ((arrived) => untaken.push(arrived)))(one);
    },
    next(): Promise<T> {
      const one = untaken.shift();
      return one === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(one);
    },
  };
}
