import { type ChatResponse, Ollama } from "ollama";
import type { z } from "zod";
import { isWisError } from "../errors.ts";
import type { ChatChunk, ChatRequest, ChatUsage, ModelHost, PullProgress } from "../llm/ports.ts";
import { tracedChat } from "./chat-span.ts";
import { type Asked, badReply, cut, pullFailed, refusal } from "./failures.ts";
import { ollamaFetch, type StreamRules } from "./ollama-fetch.ts";
import {
  chatLine,
  descriptionOf,
  loadedOf,
  modelsOf,
  ps,
  pullLine,
  show,
  tags,
  version,
} from "./ollama-replies.ts";
import type { HostDeps } from "./request.ts";

/**
 * A server that runs Ollama. Throws WisError llm.unreachable, llm.model_missing, llm.host_busy, llm.cut,
 * llm.bad_reply or bad_request, and while fetching a model llm.pull_failed or disk.full; rejects with the signal's reason when aborted.
 */
export function createOllamaHost({ name, url, headers = {}, context, telemetry }: HostDeps): ModelHost {
  const host: Asked = { kind: "ollama", name, url, headers };
  const provider = "ollama";
  return {
    kind: "ollama",
    name,
    url,
    chat: (request) => tracedChat({ telemetry, provider, name, url }, request, chat(host, context, request)),
    models: async (signal) => modelsOf(await ask(host, signal, tags, (ollama) => ollama.list())),
    loaded: async (signal) => loadedOf(await ask(host, signal, ps, (ollama) => ollama.ps())),
    async describe(model, signal) {
      const shown = await ask({ ...host, model }, signal, show, (ollama) => ollama.show({ model }));
      const described = descriptionOf(shown);
      return { ...described, context: context ?? described.context };
    },
    pull: (model, signal) => pull(host, model, signal),
    version: (signal) =>
      ask(host, signal, version, (ollama) => ollama.version()).then(({ version }) => version),
  };
}

// One client for each request: a client keeps every stream that was not read to its end.
function client(asked: Asked, signal: AbortSignal, rules?: StreamRules): Ollama {
  return new Ollama({ host: asked.url, fetch: ollamaFetch(asked, signal, rules) });
}

async function ask<T>(
  asked: Asked,
  signal: AbortSignal,
  shape: z.ZodType<T>,
  what: (ollama: Ollama) => Promise<unknown>,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return shape.parse(await what(client(asked, signal)));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isWisError(error) ? error : badReply(asked, error);
  }
}

/** The parts of a streamed answer. Leaving the client's loop does not end its request; leaving this one does. */
async function* parts<T>(
  asked: Asked,
  signal: AbortSignal,
  rules: StreamRules,
  what: (ollama: Ollama) => Promise<AsyncIterable<T>>,
): AsyncGenerator<T> {
  signal.throwIfAborted();
  const left = new AbortController();
  try {
    yield* await what(client(asked, AbortSignal.any([signal, left.signal]), rules));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // What is left is the client's own: the stream ended without its last line.
    throw isWisError(error) ? error : rules.failed(asked, error as Error);
  } finally {
    // After the last part too: the client leaves the end of the body unread.
    left.abort();
  }
}

const chatRules: StreamRules = { line: chatLine, refused: refusal, failed: cut };

async function* chat(
  host: Asked,
  hostContext: number | undefined,
  { model, messages, keepAlive, context = hostContext, signal }: ChatRequest,
): AsyncGenerator<ChatChunk> {
  const request = {
    model,
    // The client puts the encoded images in the place of the given ones.
    messages: messages.map((message) => ({ ...message })),
    keep_alive: `${Math.round(keepAlive)}ms`,
    stream: true as const,
    ...(context !== undefined && { options: { num_ctx: context } }),
  };
  for await (const part of parts({ ...host, model }, signal, chatRules, (ollama) => ollama.chat(request))) {
    // A line may leave either out, whatever the client's types say.
    const { thinking, content } = part.message;
    if (thinking) yield { type: "thinking", text: thinking };
    if (content) yield { type: "text", text: content };
    if (part.done) yield { type: "done", usage: usageOf(part), reason: part.done_reason };
  }
}

/** Ollama leaves a count out when it is zero or came from its cache, and gives nanoseconds. */
function usageOf({ prompt_eval_count, eval_count, total_duration }: ChatResponse): ChatUsage {
  return {
    ...(prompt_eval_count !== undefined && { inputTokens: prompt_eval_count }),
    ...(eval_count !== undefined && { outputTokens: eval_count }),
    ...(total_duration !== undefined && { durationMs: total_duration / 1e6 }),
  };
}

async function* pull(host: Asked, model: string, signal: AbortSignal): AsyncGenerator<PullProgress> {
  const rules: StreamRules = {
    line: pullLine,
    refused: (asked, status, words) =>
      status === 400 || status === 404 || status === 500
        ? pullFailed(asked, model, words)
        : refusal(asked, status, words),
    failed: (asked, cause) => pullFailed(asked, model, cause.message, cause),
  };
  const request = { model, stream: true as const };
  for await (const part of parts({ ...host, model }, signal, rules, (ollama) => ollama.pull(request))) {
    // Ollama leaves a count out when it is zero.
    const { status, completed = 0, total = 0 } = part;
    yield { status, completed, total };
  }
}
