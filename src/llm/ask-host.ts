import { toWisError } from "../errors.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { empty } from "./endings.ts";
import type { EventBuffer } from "./event-buffer.ts";
import { sameModel } from "./model-name.ts";
import type { ChatMessage, ChatUsage, ModelHost } from "./ports.ts";

export interface AskHostDeps {
  telemetry: Pick<Telemetry, "log">;
  metrics: Pick<Metrics, "llm">;
  /** `keep_alive` in milliseconds. */
  config: { model: string; keep_alive: number };
}

export interface HostQuestion {
  host: ModelHost;
  messages: ChatMessage[];
  signal: AbortSignal;
  /** Gets the text as it comes, and before it that the model is being loaded. */
  buffer: EventBuffer;
}

/** Whether the model is loaded is worth saying only while the person waits anyway. */
const LOADED_WITHIN_MS = 200;

/**
 * Asks a host and passes its answer on. Gives what the host counted. Throws what the host throws (WisError llm.*),
 * llm.bad_reply for an answer without text, or the signal's reason.
 */
export async function askHost(deps: AskHostDeps, question: HostQuestion): Promise<ChatUsage> {
  const { model } = deps.config;
  const labels = { model, host: question.host.name };
  const { timeToFirstToken, duration } = deps.metrics.llm;
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const begun = new AbortController();
  // Asked just before the chat: Ollama counts a model that it is loading as loaded. Neither waits for the other.
  const told = tellLoading(deps, question, begun.signal);
  try {
    const usage = await passOn(deps, question, () => {
      begun.abort();
      timeToFirstToken.record(seconds(), labels);
    });
    duration.record(seconds(), { ...labels, outcome: "ok" });
    return usage;
  } catch (error) {
    duration.record(seconds(), { ...labels, outcome: toWisError(error).code });
    throw error;
  } finally {
    begun.abort();
    await told;
  }
}

async function passOn(
  { config: { model, keep_alive } }: AskHostDeps,
  { host, messages, signal, buffer }: HostQuestion,
  onFirst: () => void,
): Promise<ChatUsage> {
  let first = true;
  let blank = true;
  let usage: ChatUsage = {};
  for await (const chunk of host.chat({ model, messages, keepAlive: keep_alive, signal })) {
    if (chunk.type === "done") {
      usage = chunk.usage;
      continue;
    }
    if (first) onFirst();
    first = false;
    blank &&= chunk.text.trim() === "";
    buffer.put(chunk);
    await buffer.room();
  }
  if (blank) throw empty(model);
  return usage;
}

async function tellLoading(
  { telemetry, config: { model } }: AskHostDeps,
  { host, signal, buffer }: HostQuestion,
  begun: AbortSignal,
): Promise<void> {
  try {
    const loaded = await host.loaded(AbortSignal.any([signal, begun, AbortSignal.timeout(LOADED_WITHIN_MS)]));
    if (begun.aborted || loaded.some(({ name }) => sameModel(name, model))) return;
    buffer.put({ type: "loading", model });
  } catch (error) {
    // The chat itself tells what is wrong with the host.
    telemetry.log.debug({ err: error, host: host.name }, "Whether the model is loaded is not known.");
  }
}
