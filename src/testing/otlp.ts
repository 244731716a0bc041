import { decodeTraces, type ReceivedSpan } from "./otlp-schema.ts";

export type { ReceivedSpan } from "./otlp-schema.ts";

/** A collector for tests and the demo: takes OTLP/protobuf traces on a port of its own and keeps them. */
export interface OtlpStandIn extends AsyncDisposable {
  /** Base address, as `telemetry.otlp_endpoint` takes it. */
  readonly url: string;
  /** Everything received so far, in order of arrival. */
  spans(): ReceivedSpan[];
  /** One trace as an indented tree: name, duration, attributes, errors. */
  trace(traceId: string): string;
  /** The first span that satisfies it, now or when it arrives. Rejects after `timeoutMs` with what did arrive. */
  waitFor(predicate: (span: ReceivedSpan) => boolean, timeoutMs?: number): Promise<ReceivedSpan>;
  /** Headers of every export request, failed ones included. */
  requests(): Headers[];
  /** Resolves when this many requests have come in all. */
  asked(count: number): Promise<void>;
  /** `ok`: takes them. A status: refuses them with it. `hang`: never answers. */
  behave(how: "ok" | "hang" | number): void;
  /** Closes the port; who connects is refused. */
  stop(): Promise<void>;
  /** Opens the same port again. */
  restart(): void;
  clear(): void;
}

/** Starts a collector on an ephemeral port. */
export async function startOtlp(): Promise<OtlpStandIn> {
  const received: ReceivedSpan[] = [];
  const requests: Headers[] = [];
  const watchers = new Set<() => void>();
  let behaviour: "ok" | "hang" | number = "ok";

  async function fetch(request: Request): Promise<Response> {
    const body = await request.bytes();
    requests.push(request.headers);
    const answer = await answerTo(request, body);
    for (const check of watchers) check();
    return answer ?? new Promise<Response>(() => {});
  }

  /** Undefined: no answer at all. */
  async function answerTo(request: Request, body: Uint8Array<ArrayBuffer>): Promise<Response | undefined> {
    if (behaviour === "hang") return undefined;
    if (typeof behaviour === "number") return new Response(null, { status: behaviour });
    if (request.method !== "POST" || new URL(request.url).pathname !== "/v1/traces") {
      return new Response(null, { status: 404 });
    }
    if (request.headers.get("content-type") !== "application/x-protobuf")
      return new Response(null, { status: 415 });
    const gzipped = request.headers.get("content-encoding") === "gzip";
    received.push(...decodeTraces(gzipped ? Bun.gunzipSync(body) : body));
    // An empty ExportTraceServiceResponse is a complete success.
    return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
  }

  const open = (port: number) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port,
      idleTimeout: 0,
      fetch,
      error: (error) => new Response(error.message, { status: 400 }),
    });
  let server = open(0);
  const { port, url } = server;

  /** Resolves with the first defined answer of `ask`, asked now and after every request. */
  async function until<T>(ask: () => T | undefined, timeoutMs: number, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = () => {
      const answer = ask();
      if (answer !== undefined) resolve(answer);
    };
    const late = () =>
      reject(
        new Error(
          `no ${what} within ${timeoutMs} ms; got: ${received.map(({ name }) => name).join(", ") || "none"}`,
        ),
      );
    const timer = setTimeout(late, timeoutMs);
    watchers.add(check);
    check();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      watchers.delete(check);
    }
  }

  async function stop(): Promise<void> {
    await server.stop(true);
  }

  return {
    url: url.origin,
    spans: () => [...received],
    trace: (traceId) => renderTrace(received.filter((span) => span.traceId === traceId)),
    waitFor: (predicate, timeoutMs = 5_000) => until(() => received.find(predicate), timeoutMs, "such span"),
    requests: () => [...requests],
    async asked(count) {
      await until(() => (requests.length >= count ? true : undefined), 15_000, `request ${count}`);
    },
    behave(how) {
      behaviour = how;
    },
    stop,
    restart() {
      if (port === undefined) throw new Error("the stand-in has no TCP port");
      server = open(port);
    },
    clear() {
      received.length = 0;
      requests.length = 0;
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Spans of one trace as an indented tree, siblings by their start. Orphans stand at the top. */
function renderTrace(spans: ReceivedSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const childrenOf = (parentId: string | undefined) =>
    spans
      .filter((span) =>
        parentId === undefined ? !ids.has(span.parentSpanId) : span.parentSpanId === parentId,
      )
      .sort((a, b) => a.startedAt - b.startedAt);

  const lines = (span: ReceivedSpan, depth: number): string[] => {
    const indent = "  ".repeat(depth);
    const attributes = Object.entries(span.attributes).map(
      ([key, value]) => ` ${key}=${JSON.stringify(value)}`,
    );
    const failed = span.status.code === "ERROR" ? ` ERROR ${span.status.message}` : "";
    const head = `${indent}${span.name} ${(span.endedAt - span.startedAt).toFixed(1)}ms${attributes.join("")}${failed}`;
    const events = span.events.map(
      ({ name, attributes: of }) =>
        `${indent}  ! ${name} ${String(of["exception.type"] ?? "")} ${String(of["exception.message"] ?? "")}`,
    );
    return [head, ...events, ...childrenOf(span.spanId).flatMap((child) => lines(child, depth + 1))];
  };
  return childrenOf(undefined)
    .flatMap((root) => lines(root, 0))
    .join("\n");
}
