import { type ChatResponse, Ollama } from "ollama";
import { isWisError } from "../errors.ts";
import type { ChatChunk, ChatRequest, ChatUsage, ModelHost } from "../llm/ports.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { tracedChat } from "./chat-span.ts";
import { type Asked, badReply, cut, ollamaFetch } from "./ollama-fetch.ts";

export interface OllamaHostDeps {
  /** How messages and logs call it. */
  name: string;
  /** Where its API is, such as http://127.0.0.1:11434. */
  url: string;
  telemetry: Pick<Telemetry, "span">;
}

/**
 * A server that runs Ollama. What a model thinks before it answers is left out. Throws WisError llm.unreachable,
 * llm.model_missing, llm.host_busy, llm.cut or llm.bad_reply; rejects with the signal's reason when aborted.
 */
export function createOllamaHost({ name, url, telemetry }: OllamaHostDeps): ModelHost {
  // One client for each request: a client keeps every stream that was not read to its end.
  const client = (asked: Asked, signal: AbortSignal) =>
    new Ollama({ host: url, fetch: ollamaFetch(asked, signal) });

  async function ask<T>(signal: AbortSignal, what: (ollama: Ollama) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const asked = { name, url };
    try {
      return await what(client(asked, signal));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw isWisError(error) ? error : badReply(asked, error);
    }
  }

  return {
    name,
    url,
    chat: (request) =>
      tracedChat({ telemetry, provider: "ollama", name, url }, request, chat({ name, url }, client, request)),
    models: (signal) =>
      ask(signal, async (ollama) => (await ollama.list()).models.map(({ name, size }) => ({ name, size }))),
    loaded: (signal) =>
      ask(signal, async (ollama) =>
        (await ollama.ps()).models.map(({ name, size, size_vram }) => ({ name, size, sizeVram: size_vram })),
      ),
    version: (signal) => ask(signal, async (ollama) => (await ollama.version()).version),
  };
}

async function* chat(
  host: Asked,
  client: (asked: Asked, signal: AbortSignal) => Ollama,
  { model, messages, keepAlive, signal }: ChatRequest,
): AsyncGenerator<ChatChunk> {
  signal.throwIfAborted();
  const asked = { ...host, model };
  // Leaving the client's loop does not end its request.
  const left = new AbortController();
  let finished = false;
  try {
    const parts = await client(asked, AbortSignal.any([signal, left.signal])).chat({
      model,
      messages,
      keep_alive: `${Math.round(keepAlive)}ms`,
      stream: true,
    });
    for await (const part of parts) {
      // A line that only thinks may leave the content out, whatever the client's types say.
      const text = part.message.content ?? "";
      if (text !== "") yield { type: "text", text };
      if (!part.done) continue;
      finished = true;
      yield { type: "done", usage: usageOf(part), reason: part.done_reason };
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // What is left is the client's own: the stream ended without its last line.
    throw isWisError(error) ? error : cut(asked, error);
  } finally {
    if (!finished) left.abort();
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
