import type { ServerResponse } from "node:http";
import {
  type ChatEnd,
  type ChatOptions,
  createChats,
  pause,
  type SeenChats,
  type Wire,
} from "./model-chats.ts";
import { createArrivals, json, type RecordedRequest, startModelServer, text } from "./model-server.ts";
import { type Described, listed, pullSteps, running, shown, tagged } from "./ollama-shapes.ts";

export type { ChatTrouble, OpenChat } from "./model-chats.ts";
export type { RecordedRequest } from "./model-server.ts";

export interface OllamaOptions extends ChatOptions {
  /** Pulled models; a name without a tag means `:latest`. Default llama3.2. */
  models?: string[];
  /** Those in memory from the start. Default: all that are pulled. */
  loaded?: string[];
  /** How much of a loaded model sits on the GPU, 0 to 1. Default 1. */
  onGpu?: number;
  /** Milliseconds that loading takes. */
  loadMs?: number;
  /** What /api/show tells about every model. */
  describe?: Described | undefined;
  /** `manual`: a test writes each step through `nextPull`. `error`: how every pull ends, in Ollama's words. */
  pull?: { manual?: boolean; error?: string };
}

/** A model that a client is having fetched. */
export interface OpenPull {
  readonly model: string;
  /** Aborted as soon as the connection is gone, whoever closed it. */
  readonly closed: AbortSignal;
  step(line: { status: string; digest?: string; total?: number; completed?: number }): void;
  fail(error: string): void;
  /** The model is there. */
  finish(): void;
  /** Breaks the connection. */
  cut(): void;
}

/** Ollama's HTTP API with an answer at hand and no model behind it. */
export interface OllamaStandIn extends SeenChats, AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** In order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** Counts for chats that arrive from now on; `models` and `loaded` count at once. */
  set(options: OllamaOptions): void;
  /** The next pull that nobody has taken yet, in order of arrival; waits for one. */
  nextPull(): Promise<OpenPull>;
  stop(): Promise<void>;
}

interface Body {
  model: string;
  messages?: { role: string; content: string; images?: string[] }[];
  stream?: boolean;
}

const nanoseconds = (milliseconds: number) => Math.round(milliseconds * 1e6);

/** Ollama still takes a pull's model as `name`, and its own client sends it so. */
function bodyOf(body: unknown): Body | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const model = "model" in body ? body.model : "name" in body ? body.name : undefined;
  return typeof model === "string" ? { ...body, model } : undefined;
}

function imagesOf(body: unknown): Uint8Array[] {
  const { messages = [] } = bodyOf(body) ?? {};
  return messages.flatMap(({ images = [] }) => images.map((image) => Uint8Array.fromBase64(image)));
}

/** Starts the stand-in on a free port of 127.0.0.1, or on `port`. */
export async function startOllama(initial: OllamaOptions & { port?: number } = {}): Promise<OllamaStandIn> {
  let options: OllamaOptions = { models: ["llama3.2"], ...initial };
  let loaded = new Set((initial.loaded ?? options.models ?? []).map(tagged));
  const chats = createChats();
  const pulls = createArrivals<OpenPull>();

  const pulled = (name: string) => (options.models ?? []).map(tagged).includes(tagged(name));

  async function route({ path, body }: RecordedRequest, response: ServerResponse): Promise<void> {
    if (path === "/") return text(response, "Ollama is running");
    if (path === "/api/version") return json(response, 200, { version: "0.12.6" });
    if (path === "/api/tags") return json(response, 200, { models: (options.models ?? []).map(listed) });
    if (path === "/api/ps")
      return json(response, 200, { models: [...loaded].map((name) => running(name, options.onGpu ?? 1)) });
    if (!["/api/chat", "/api/show", "/api/pull"].includes(path))
      return text(response, "404 page not found", 404);
    const asked = bodyOf(body);
    if (asked === undefined) return json(response, 400, { error: "model is required" });
    if (path === "/api/pull") return pull(asked.model, response);
    if (!pulled(asked.model)) return json(response, 404, { error: `model '${asked.model}' not found` });
    if (path === "/api/show") return json(response, 200, shown(options.describe));
    await chat(asked, response);
  }

  function chat({ model, messages = [], stream }: Body, response: ServerResponse): Promise<void> {
    const name = tagged(model);
    const questions = messages.filter(({ role }) => role === "user");
    const question = questions.pop();
    const asked = {
      prompt: question?.content ?? "",
      given: {
        earlier: questions.map(({ content }) => content),
        images: question?.images?.length ?? 0,
      },
      streams: stream !== false,
      async load(closed: AbortSignal) {
        if (!loaded.has(name)) await pause(options.loadMs ?? 0, closed);
        if (!closed.aborted) loaded.add(name);
      },
      onToken: () => loaded.add(name),
    };
    const words = messages.flatMap(({ content }) => content.split(/\s+/)).length;
    return chats.hold(asked, ollamaWire(model, words), response, options);
  }

  function pull(model: string, response: ServerResponse): void {
    const closing = new AbortController();
    response.once("close", () => closing.abort());
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    const line = (value: object) => response.write(`${JSON.stringify(value)}\n`);
    const one: OpenPull = {
      model,
      closed: closing.signal,
      step: line,
      fail(error) {
        line({ error });
        response.end();
      },
      finish() {
        if (!pulled(model)) options.models = [...(options.models ?? []), model];
        line({ status: "success" });
        response.end();
      },
      cut: () => response.destroy(),
    };
    pulls.arrive(one);
    const { manual, error } = options.pull ?? {};
    if (manual) return;
    for (const step of pullSteps) one.step(step);
    if (error === undefined) one.finish();
    else one.fail(error);
  }

  const { origin, port, requests, stop } = await startModelServer({
    port: initial.port ?? 0,
    imagesOf,
    route,
  });
  return Object.assign(chats.seen, {
    url: origin,
    port,
    requests,
    set(changes: OllamaOptions) {
      options = { ...options, ...changes };
      if (changes.loaded) loaded = new Set(changes.loaded.map(tagged));
    },
    nextPull: pulls.next,
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

function ollamaWire(model: string, promptTokens: number): Wire {
  const head = () => ({ model, created_at: new Date().toISOString() });
  const message = (part: object) =>
    JSON.stringify({ ...head(), message: { role: "assistant", content: "", ...part }, done: false });
  const ended = ({ reason, tokens, durationMs }: ChatEnd, content: string) => ({
    ...head(),
    message: { role: "assistant", content },
    done: true,
    done_reason: reason,
    total_duration: nanoseconds(durationMs),
    load_duration: nanoseconds(1),
    prompt_eval_count: promptTokens,
    prompt_eval_duration: nanoseconds(1),
    eval_count: tokens,
    eval_duration: nanoseconds(durationMs),
  });
  return {
    contentType: "application/x-ndjson",
    token: (content) => message({ content }),
    thinking: (thinking) => message({ thinking }),
    error: (error) => JSON.stringify({ error }),
    last: (end) => JSON.stringify(ended(end, "")),
    whole: (end) => ended(end, end.text),
    garbage: '{"model":"llama3.2","mess',
    refusal: (error) => ({ error }),
  };
}
