import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { listed, running, shown, tagged } from "./ollama-shapes.ts";

/** What goes wrong with a chat. `after` counts the tokens that get through first; 0 unless said. */
export type ChatTrouble =
  /** Takes the request and never answers, not even with headers. */
  | { kind: "hang" }
  /** 503, as a full queue answers. */
  | { kind: "busy" }
  /** 500 with Ollama's own sentence, as when a model does not fit into memory. */
  | { kind: "refused"; error: string }
  /** The connection breaks. Bun's fetch then drops what its reader has not taken yet. */
  | { kind: "cut"; after?: number }
  /** The connection stays open and nothing more comes. */
  | { kind: "stall"; after?: number }
  /** The stream ends properly, but without its last line. */
  | { kind: "unfinished"; after?: number }
  /** A line that is not JSON. */
  | { kind: "garbage"; after?: number }
  /** `{"error": …}` as a line, as when the runner dies. */
  | { kind: "error"; after?: number; error: string };

export interface OllamaOptions {
  /** Pulled models; a name without a tag means `:latest`. Default llama3.2. */
  models?: string[];
  /** Those in memory from the start. Default: all that are pulled. */
  loaded?: string[];
  /** How much of a loaded model sits on the GPU, 0 to 1. Default 1. */
  onGpu?: number;
  /** Milliseconds that loading takes. */
  loadMs?: number;
  /** The tokens of every answer. */
  answer?: string[] | ((prompt: string) => string[]);
  /** Default: as fast as they can be written. */
  tokensPerSecond?: number;
  /** Nothing is answered by itself: the test writes each token through `nextChat` or `emit`. */
  manual?: boolean;
  trouble?: ChatTrouble | undefined;
}

export interface RecordedRequest {
  method: string;
  path: string;
  body: unknown;
}

/** A chat that a client has open. */
export interface OpenChat {
  readonly prompt: string;
  /** Aborted as soon as the connection is gone, whoever closed it. */
  readonly closed: AbortSignal;
  token(text: string): Promise<void>;
  thinking(text: string): Promise<void>;
  /** Any line, JSON or not. */
  line(text: string): Promise<void>;
  finish(reason?: string): Promise<void>;
  /** Ends the stream without the last line. */
  end(): void;
  /** Breaks the connection. */
  cut(): void;
}

/** Ollama's HTTP API with an answer at hand and no model behind it. */
export interface OllamaStandIn extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** In order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** Chats whose client left before their end. */
  readonly aborted: number;
  /** Resolves once a client has left a chat before its end. */
  abandoned(): Promise<void>;
  /** Chats that are open now. */
  readonly open: number;
  /** Counts for chats that arrive from now on; `models` and `loaded` count at once. */
  set(options: OllamaOptions): void;
  /** The next chat that nobody has taken yet, in order of arrival; waits for one. */
  nextChat(): Promise<OpenChat>;
  /** Writes a token into the oldest open chat; waits for a chat. */
  emit(token: string): Promise<void>;
  stop(): Promise<void>;
}

interface ChatBody {
  model: string;
  messages?: { role: string; content: string }[];
  stream?: boolean;
  keep_alive?: number | string;
}

const DEFAULT_ANSWER = ["Hello", "!", " How", " can", " I", " help", " you", " today", "?"];

const nanoseconds = (milliseconds: number) => Math.round(milliseconds * 1e6);
const isChat = (body: unknown): body is ChatBody =>
  typeof body === "object" && body !== null && "model" in body && typeof body.model === "string";

/** Starts the stand-in on a free port of 127.0.0.1, or on `port`. */
export async function startOllama(initial: OllamaOptions & { port?: number } = {}): Promise<OllamaStandIn> {
  let options: OllamaOptions = { models: ["llama3.2"], ...initial };
  let loaded = new Set((initial.loaded ?? options.models ?? []).map(tagged));
  const requests: RecordedRequest[] = [];
  const open = new Set<OpenChat>();
  const untaken: OpenChat[] = [];
  const waiting: ((chat: OpenChat) => void)[] = [];
  const left = Promise.withResolvers<void>();
  let aborted = 0;

  const pulled = (name: string) => (options.models ?? []).map(tagged).includes(tagged(name));

  const server = createServer((request, response) => {
    // A client that leaves in the middle of a request is what tests are about: nothing to answer any more.
    route(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://ollama").pathname;
    const body = await readBody(request);
    requests.push({ method: request.method ?? "GET", path, body });
    if (path === "/") return text(response, "Ollama is running");
    if (path === "/api/version") return json(response, 200, { version: "0.12.6" });
    if (path === "/api/tags") return json(response, 200, { models: (options.models ?? []).map(listed) });
    if (path === "/api/ps")
      return json(response, 200, { models: [...loaded].map((name) => running(name, options.onGpu ?? 1)) });
    if (path !== "/api/chat" && path !== "/api/show") return text(response, "404 page not found", 404);
    if (!isChat(body)) return json(response, 400, { error: "model is required" });
    if (!pulled(body.model)) return json(response, 404, { error: `model '${body.model}' not found` });
    if (path === "/api/show") return json(response, 200, shown());
    return chat(body, response);
  }

  async function chat(body: ChatBody, response: ServerResponse): Promise<void> {
    const { trouble, manual, answer = DEFAULT_ANSWER } = options;
    const one = openChat(body, response);
    one.closed.addEventListener("abort", () => {
      if (!open.delete(one) || response.writableEnded) return;
      aborted += 1;
      left.resolve();
    });
    open.add(one);
    (waiting.shift() ?? ((arrived) => untaken.push(arrived)))(one);
    if (trouble?.kind === "hang") return;
    if (trouble?.kind === "busy")
      return json(response, 503, {
        error: "server busy, please try again.  maximum pending requests exceeded",
      });
    if (trouble?.kind === "refused") return json(response, 500, { error: trouble.error });
    if (manual) return;
    await load(body.model, one.closed);
    const tokens = typeof answer === "function" ? answer(one.prompt) : answer;
    const { tokensPerSecond } = options;
    const after = trouble === undefined ? tokens.length : (trouble.after ?? 0);
    for (const [index, token] of tokens.slice(0, after).entries()) {
      if (tokensPerSecond !== undefined && index > 0) await pause(1000 / tokensPerSecond, one.closed);
      if (one.closed.aborted) return;
      await one.token(token);
    }
    if (trouble === undefined) return one.finish();
    await go(trouble, one, response);
  }

  async function load(model: string, closed: AbortSignal): Promise<void> {
    const name = tagged(model);
    if (!loaded.has(name)) await pause(options.loadMs ?? 0, closed);
    if (!closed.aborted) loaded.add(name);
  }

  function openChat(body: ChatBody, response: ServerResponse): OpenChat {
    const startedAt = performance.now();
    const closing = new AbortController();
    const streams = body.stream !== false;
    const whole: string[] = [];
    let count = 0;
    response.once("close", () => closing.abort());
    const head = () => ({ model: body.model, created_at: new Date().toISOString() });
    const write = async (value: string) => {
      if (closing.signal.aborted) return;
      if (!response.headersSent) response.writeHead(200, { "content-type": "application/x-ndjson" });
      if (!response.write(`${value}\n`))
        await Promise.race([once(response, "drain"), aborting(closing.signal)]);
    };
    const message = (part: object) =>
      write(JSON.stringify({ ...head(), message: { role: "assistant", content: "", ...part }, done: false }));
    const stats = (reason: string) => ({
      done: true,
      done_reason: reason,
      total_duration: nanoseconds(performance.now() - startedAt),
      load_duration: nanoseconds(1),
      prompt_eval_count: (body.messages ?? []).flatMap(({ content }) => content.split(/\s+/)).length,
      prompt_eval_duration: nanoseconds(1),
      eval_count: count,
      eval_duration: nanoseconds(performance.now() - startedAt),
    });
    const leave = (end: () => void) => {
      open.delete(one);
      end();
    };
    const one: OpenChat = {
      prompt: body.messages?.findLast(({ role }) => role === "user")?.content ?? "",
      closed: closing.signal,
      async token(value) {
        loaded.add(tagged(body.model));
        count += 1;
        whole.push(value);
        if (streams) await message({ content: value });
      },
      thinking: async (value) => (streams ? message({ thinking: value }) : undefined),
      line: write,
      async finish(reason = "stop") {
        const content = streams ? "" : whole.join("");
        const last = { ...head(), message: { role: "assistant", content }, ...stats(reason) };
        if (!streams) return leave(() => json(response, 200, last));
        await write(JSON.stringify(last));
        leave(() => response.end());
      },
      end: () => leave(() => response.end()),
      cut: () => leave(() => response.destroy()),
    };
    return one;
  }

  const nextChat = () => {
    const chat = untaken.shift();
    return chat ? Promise.resolve(chat) : new Promise<OpenChat>((resolve) => waiting.push(resolve));
  };

  server.listen(initial.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get aborted() {
      return aborted;
    },
    abandoned: () => left.promise,
    get open() {
      return open.size;
    },
    set(changes) {
      options = { ...options, ...changes };
      if (changes.loaded) loaded = new Set(changes.loaded.map(tagged));
    },
    nextChat,
    async emit(token) {
      const [oldest] = open;
      const chat = oldest ?? (await new Promise<OpenChat>((resolve) => waiting.push(resolve)));
      await chat.token(token);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function go(trouble: ChatTrouble, chat: OpenChat, response: ServerResponse): Promise<void> {
  if (!response.headersSent) {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
  }
  if (trouble.kind === "cut") return chat.cut();
  if (trouble.kind === "unfinished") return chat.end();
  if (trouble.kind === "garbage") {
    await chat.line('{"model":"llama3.2","mess');
    return chat.finish();
  }
  if (trouble.kind !== "error") return;
  await chat.line(JSON.stringify({ error: trouble.error }));
  chat.end();
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks).toString();
  return raw === "" ? undefined : JSON.parse(raw);
}

function aborting(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

/** Waits, or less when the client leaves. */
async function pause(milliseconds: number, closed: AbortSignal): Promise<void> {
  const done = new AbortController();
  const timer = delay(milliseconds, undefined, { signal: done.signal }).catch((error: unknown) => {
    if (!done.signal.aborted) throw error;
  });
  await Promise.race([timer, aborting(closed)]);
  done.abort();
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}

function text(response: ServerResponse, body: string, status = 200): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(body);
}
