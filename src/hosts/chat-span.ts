import { type Attributes, type Span, SpanKind } from "@opentelemetry/api";
import { isWisError } from "../errors.ts";
import type { ChatChunk, ChatRequest } from "../llm/ports.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Telemetry } from "../telemetry/ports.ts";

export interface ChatSpanDeps {
  telemetry: Pick<Telemetry, "span">;
  /** As OpenTelemetry names it, such as `ollama`. */
  provider: string;
  name: string;
  url: string;
}

/**
 * Passes an answer on inside a client span by OpenTelemetry's GenAI conventions, `chat {model}`, which lasts from the
 * first pull to the last chunk. Neither question nor answer is recorded.
 */
export async function* tracedChat(
  { telemetry, provider, name, url }: ChatSpanDeps,
  request: Pick<ChatRequest, "model">,
  chunks: AsyncIterable<ChatChunk>,
): AsyncGenerator<ChatChunk> {
  const address = new URL(url);
  const attributes: Attributes = {
    [attribute.genAiOperation]: "chat",
    [attribute.genAiProvider]: provider,
    [attribute.genAiModel]: request.model,
    [attribute.serverAddress]: address.hostname,
    [attribute.serverPort]: Number(address.port) || (address.protocol === "https:" ? 443 : 80),
    [attribute.host]: name,
  };
  const ending = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<Span>();
  const recorded = telemetry.span(`chat ${request.model}`, { kind: SpanKind.CLIENT, attributes }, (span) => {
    opened.resolve(span);
    return ending.promise;
  });
  try {
    for await (const chunk of chunks) {
      if (chunk.type === "done") (await opened.promise).setAttributes(outcome(chunk));
      yield chunk;
    }
  } catch (error) {
    // A person's Stop is no failure of the call.
    if (!isWisError(error, "llm.stopped")) ending.reject(error);
    throw error;
  } finally {
    ending.resolve();
    // The failure is on its way to the caller already; here it has only marked the span.
    await Promise.allSettled([recorded]);
  }
}

function outcome({ usage, reason }: Extract<ChatChunk, { type: "done" }>): Attributes {
  return {
    [attribute.genAiFinishReasons]: [reason],
    ...(usage.inputTokens !== undefined && { [attribute.genAiInputTokens]: usage.inputTokens }),
    ...(usage.outputTokens !== undefined && { [attribute.genAiOutputTokens]: usage.outputTokens }),
  };
}
