import type { ServerResponse } from "node:http";
import { type ChatEnd, type ChatOptions, createChats, type SeenChats, type Wire } from "./model-chats.ts";
import { json, type RecordedRequest, startModelServer } from "./model-server.ts";

export type { ChatTrouble, OpenChat } from "./model-chats.ts";

// The shapes of the API: https://platform.openai.com/docs/api-reference/chat. What its makers add to a model's entry:
// https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (max_model_len, delta.reasoning) and
// https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (meta, a second list with capabilities).

export interface OpenAiOptions extends ChatOptions {
  /** Default llama3.2. */
  models?: string[];
  /** What it tells about every model: nothing unless said, as most servers do. */
  describe?: { capabilities?: string[]; context?: number; maxContext?: number } | undefined;
}

/** A server with an OpenAI-compatible API, an answer at hand and no model behind it. */
export interface OpenAiStandIn extends SeenChats, AsyncDisposable {
  /** Its base, where /chat/completions follows. */
  readonly url: string;
  readonly port: number;
  /** In order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** Counts for chats that arrive from now on; `models` counts at once. */
  set(options: OpenAiOptions): void;
  stop(): Promise<void>;
}

type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

interface Body {
  model: string;
  messages: { role: string; content: string | Part[] }[];
  stream?: boolean;
}

const failure = (message: string, type: string) => ({ error: { message, type, param: null, code: null } });

/** Starts the stand-in on a free port of 127.0.0.1, or on `port`. */
export async function startOpenAi(initial: OpenAiOptions & { port?: number } = {}): Promise<OpenAiStandIn> {
  let options: OpenAiOptions = { models: ["llama3.2"], ...initial };
  const chats = createChats();

  async function route({ path, body }: RecordedRequest, response: ServerResponse): Promise<void> {
    const { models = [], describe } = options;
    if (path === "/v1/models") return json(response, 200, listOf(models, describe));
    if (path !== "/v1/chat/completions") return json(response, 404, { detail: "Not Found" });
    const asked = body as Body;
    if (!models.includes(asked.model)) {
      const message = `The model \`${asked.model}\` does not exist.`;
      return json(response, 404, failure(message, "NotFoundError"));
    }
    const parts = asked.messages.flatMap(({ content }) => partsOf(content));
    const questions = asked.messages
      .filter(({ role }) => role === "user")
      .map(({ content }) => partsOf(content));
    const question = questions.pop() ?? [];
    const chat = {
      prompt: textOf(question),
      given: {
        earlier: questions.map(textOf),
        images: question.filter(({ type }) => type === "image_url").length,
      },
      streams: asked.stream === true,
      load: async () => {},
      onToken() {},
    };
    await chats.hold(chat, openAiWire(asked.model, textOf(parts).split(/\s+/).length), response, options);
  }

  const { origin, port, requests, stop } = await startModelServer({
    port: initial.port ?? 0,
    imagesOf,
    route,
  });
  return Object.assign(chats.seen, {
    url: `${origin}/v1`,
    port,
    requests,
    set(changes: OpenAiOptions) {
      options = { ...options, ...changes };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

function partsOf(content: string | Part[]): Part[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function textOf(parts: Part[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function imagesOf(body: unknown): Uint8Array[] {
  const { messages = [] } = (body ?? {}) as Partial<Body>;
  const parts = messages.flatMap(({ content }) => partsOf(content));
  return parts.flatMap((part) => (part.type === "image_url" ? [bytesOf(part.image_url.url)] : []));
}

function bytesOf(url: string): Uint8Array {
  return Uint8Array.fromBase64(url.slice(url.indexOf(",") + 1));
}

function listOf(models: string[], { capabilities, context, maxContext }: OpenAiOptions["describe"] = {}) {
  const data = models.map((id) => ({
    id,
    object: "model",
    created: 1_767_600_000,
    owned_by: "stand-in",
    ...(context !== undefined && { max_model_len: context }),
    ...(maxContext !== undefined && { meta: { n_ctx_train: maxContext, size: 2_019_393_189 } }),
  }));
  const second = capabilities && { models: models.map((name) => ({ name, model: name, capabilities })) };
  return { object: "list", data, ...second };
}

function openAiWire(model: string, promptTokens: number): Wire {
  const event = (value: object) => `data: ${JSON.stringify(value)}\n`;
  const head = (object: string) => ({ id: "chatcmpl-1", object, created: 1_767_600_000, model });
  const chunk = (delta: object, reason: string | null = null) =>
    event({ ...head("chat.completion.chunk"), choices: [{ index: 0, delta, finish_reason: reason }] });
  const usageOf = ({ tokens }: ChatEnd) => ({
    prompt_tokens: promptTokens,
    completion_tokens: tokens,
    total_tokens: promptTokens + tokens,
  });
  return {
    contentType: "text/event-stream; charset=utf-8",
    token: (content) => chunk({ content }),
    thinking: (reasoning) => chunk({ reasoning }),
    error: (said) => event(failure(said, "InternalServerError")),
    last: (end) =>
      [
        chunk({}, end.reason),
        event({ ...head("chat.completion.chunk"), choices: [], usage: usageOf(end) }),
        "data: [DONE]\n",
      ].join("\n"),
    whole: (end) => ({
      ...head("chat.completion"),
      choices: [{ index: 0, message: { role: "assistant", content: end.text }, finish_reason: end.reason }],
      usage: usageOf(end),
    }),
    garbage: 'data: {"id":"chatcmpl-1","cho\n',
    refusal: (said) => failure(said, "InternalServerError"),
  };
}
