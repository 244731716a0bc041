import { createParser } from "eventsource-parser";
import { z } from "zod";
import { isWisError } from "../errors.ts";
import type { ChatChunk, ChatMessage, ChatRequest, ChatUsage } from "../llm/ports.ts";
import { type Asked, badReply, cut, quoted, refusal } from "./failures.ts";
import { imageType } from "./image-type.ts";
import { parseJson, send, wordsOf } from "./request.ts";

/** No event of an answer comes near: what is longer is something else, and must not fill the memory. */
const MAX_EVENT = 1_000_000;

// https://platform.openai.com/docs/api-reference/chat-streaming
const chatEvent = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            /** llama.cpp, LM Studio and DeepSeek; vLLM and OpenRouter call it `reasoning`. */
            reasoning_content: z.string().nullish(),
            reasoning: z.string().nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

const failedEvent = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** Asks, and gives the answer as it comes. `base` is where /chat/completions follows. */
export async function* openAiChat(
  asked: Asked,
  base: string,
  { model, messages, signal }: ChatRequest,
): AsyncGenerator<ChatChunk> {
  signal.throwIfAborted();
  const left = new AbortController();
  const body = {
    model,
    messages: messages.map(messageOf),
    stream: true,
    stream_options: { include_usage: true },
  };
  try {
    const response = await send(asked, `${base}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, left.signal]),
    });
    yield* chunksOf(asked, response);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isWisError(error) ? error : cut(asked, error);
  } finally {
    left.abort();
  }
}

function messageOf({ role, content, images = [] }: ChatMessage): object {
  if (images.length === 0) return { role, content };
  const pictures = images.map((bytes) => ({
    type: "image_url",
    image_url: { url: `data:${imageType(bytes)};base64,${bytes.toBase64()}` },
  }));
  return { role, content: [{ type: "text", text: content }, ...pictures] };
}

async function* chunksOf(asked: Asked, response: Response): AsyncGenerator<ChatChunk> {
  if (!response.ok) throw refusal(asked, response.status, await wordsOf(response));
  const type = response.headers.get("content-type") ?? "nothing";
  if (!response.body || !type.includes("event-stream")) {
    throw badReply(asked, new Error(`${type} in place of a stream`));
  }
  let reason: string | undefined;
  let usage: ChatUsage = {};
  for await (const data of eventsOf(asked, response.body)) {
    if (data === "[DONE]") {
      reason ??= "stop";
      break;
    }
    const event = read(asked, data);
    const [choice] = event.choices ?? [];
    const thinking = choice?.delta?.reasoning_content || choice?.delta?.reasoning;
    const text = choice?.delta?.content;
    if (thinking) yield { type: "thinking", text: thinking };
    if (text) yield { type: "text", text };
    reason = choice?.finish_reason || reason;
    if (event.usage) usage = usageOf(event.usage);
  }
  if (reason === undefined) throw cut(asked, new Error("the stream ended before the answer did"));
  yield { type: "done", usage, reason };
}

/** The data of each event of a stream. Comments, which some send so that a proxy stays awake, are skipped. */
export async function* eventsOf(asked: Asked, body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const events: string[] = [];
  let unfinished = 0;
  const parser = createParser({
    onEvent({ data }) {
      unfinished = 0;
      events.push(data);
    },
    onComment() {
      unfinished = 0;
    },
  });
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    unfinished += text.length;
    parser.feed(text);
    // Not the parser's own bound: that one lets a line pass for ever that can't become an event.
    if (unfinished > MAX_EVENT) {
      throw badReply(asked, new Error(`an event of over ${MAX_EVENT} characters`));
    }
    yield* events.splice(0);
  }
}

function read(asked: Asked, data: string): z.infer<typeof chatEvent> {
  const parsed = parseJson(asked, data);
  const failed = failedEvent.safeParse(parsed);
  if (failed.success) {
    const { error } = failed.data;
    const words = typeof error === "string" ? error : error.message;
    throw cut(asked, new Error(`it said: ${quoted(asked, words)}`));
  }
  const event = chatEvent.safeParse(parsed);
  if (!event.success) throw badReply(asked, event.error);
  return event.data;
}

function usageOf({
  prompt_tokens,
  completion_tokens,
}: NonNullable<z.infer<typeof chatEvent>["usage"]>): ChatUsage {
  return {
    ...(typeof prompt_tokens === "number" && { inputTokens: prompt_tokens }),
    ...(typeof completion_tokens === "number" && { outputTokens: completion_tokens }),
  };
}
