import { isWisError, WisError } from "../errors.ts";
import { createApp } from "./app.ts";
import type { WebDeps } from "./deps.ts";

export type { BotView, WebDeps } from "./deps.ts";

export interface WebServer {
  /** Where it listens; not the public address. */
  url: string;
  port: number;
  /** Takes no new requests, lets running ones finish for `deadlineMs`, then cuts them. Resolves when all are gone. */
  stop(deadlineMs: number): Promise<void>;
}

// Seconds without a byte moving until a download is given up. A slow reader moves some; a dead one doesn't.
// Measured on Bun 1.4.5: once a file is being sent, only this one counts, server.timeout() does not.
const TRANSFER_IDLE_S = 120;
// Seconds for everything else. Request heads have 12 s of their own in Bun.
const REQUEST_S = 30;

/** Opens the web edge. [port.in_use, config.invalid] */
export async function startWeb(deps: WebDeps): Promise<WebServer> {
  const closing = new AbortController();
  const uploads = new Set<Promise<unknown>>();
  const app = createApp({ ...deps, closing: closing.signal, uploads });
  const { telemetry, listen } = deps;

  const server = listenOn(listen, () =>
    Bun.serve({
      hostname: listen.host,
      port: listen.port,
      development: false,
      // Without this, `development: false` lets a second process listen on the same port [measured, Bun 1.4.5].
      reusePort: false,
      idleTimeout: TRANSFER_IDLE_S,
      // Bun would cut a body at its own limit with a bare 413; the file desk refuses it with a sentence, before
      // reading when the length is known. No other route reads a body, and Bun discards what is not read.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch(request, self) {
        self.timeout(request, REQUEST_S);
        return app.fetch(request, { server: self });
      },
      error(error) {
        const errorId = telemetry.record(error, "answering a request");
        return new Response(`Something went wrong inside WisBot. Error id: ${errorId}\n`, { status: 500 });
      },
    }),
  );
  const port = server.port ?? listen.port;

  return {
    url: `http://${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${port}`,
    port,
    async stop(deadlineMs) {
      const deadline = setTimeout(() => closing.abort(shuttingDown()), deadlineMs);
      const cut = new Promise<void>((resolve) => closing.signal.addEventListener("abort", () => resolve()));
      await Promise.race([server.stop(), cut]);
      clearTimeout(deadline);
      await Promise.allSettled(uploads);
      await server.stop(true);
    },
  };
}

/** Refuses a port that is taken, before anything else is touched for its sake. [port.in_use] */
export function assertCanListen(listen: WebDeps["listen"]): void {
  const { host: hostname, port } = listen;
  listenOn(listen, () => Bun.listen({ hostname, port, socket: { data() {} } })).stop(true);
}

function shuttingDown(): WisError {
  return new WisError("shutting_down", {
    say: "WisBot is shutting down.",
    hint: "Send the file again in a minute; the link still works.",
  });
}

function listenOn<T>({ host, port }: WebDeps["listen"], open: () => T): T {
  try {
    return open();
  } catch (cause) {
    if (isWisError(cause)) throw cause;
    const taken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    throw new WisError("port.in_use", {
      say: taken
        ? `Port ${port} is in use by another program.`
        : `WisBot can't listen on ${host}, port ${port}.`,
      hint: `Choose another one: web.port in config.yaml, or --port.`,
      cause,
    });
  }
}
