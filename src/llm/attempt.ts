import { toWisError } from "../errors.ts";
import { isBlank } from "../lib/blank.ts";
import { newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { empty } from "./endings.ts";
import type { EventBuffer } from "./event-buffer.ts";
import { sameModel } from "./model-name.ts";
import type { AttemptLog, ChatMessage, ChatUsage, ModelHost, TurnRow } from "./ports.ts";

export interface AttemptDeps {
  attempts: Pick<AttemptLog, "begin" | "end">;
  telemetry: Pick<Telemetry, "log" | "record" | "traceId">;
  metrics: Pick<Metrics, "llm">;
  /** `keep_alive` in milliseconds. */
  config: { keep_alive: number; keep_content: boolean };
  now: Now;
}

/** One question to one host. */
export interface Attempt {
  host: ModelHost;
  turn: Pick<TurnRow, "id" | "userId" | "model" | "place" | "question">;
  messages: ChatMessage[];
  context: number | undefined;
  queueMs: number;
  /** The model was in memory when the host was last asked: not worth asking again. */
  isWarm: boolean;
  signal: AbortSignal;
  /** Gets the text as it comes, and before it that the model is being loaded or thinks. */
  buffer: EventBuffer;
  /** What was said so far; grows. */
  said: Said;
}

export interface Said {
  text: string;
  thinking: string;
  /** The model was cut off at its limit, or at ours. */
  cutOff: boolean;
  /** The host said that this is all. */
  isWhole: boolean;
}

/** Whether the model is loaded is worth saying only while the person waits anyway. */
const LOADED_WITHIN_MS = 200;
/** Characters of one answer; a model that goes on after them has lost its way. */
const LONGEST = 400_000;

/**
 * Asks a host and passes its answer on; its row in the history says how that went. Gives what the host counted. Throws
 * what the host throws (WisError llm.*), llm.bad_reply for an answer without text, or the signal's reason.
 */
export async function tryHost(deps: AttemptDeps, attempt: Attempt): Promise<ChatUsage> {
  const { turn, host, said } = attempt;
  const { timeToFirstToken, duration } = deps.metrics.llm;
  const labels = { model: turn.model, host: host.name };
  const watch = stopwatch();
  const begun = new AbortController();
  // Asked just before the chat: Ollama counts a model that it is loading as loaded. Neither waits for the other.
  const told = attempt.isWarm ? undefined : tellLoading(deps, attempt, begun.signal);
  // The host does not wait for the disk.
  const row = openRow(deps, attempt);
  const onFirst = () => {
    begun.abort();
    timeToFirstToken.record(watch.first() / 1000, labels);
  };
  try {
    const usage = await passOn(deps, attempt, onFirst);
    duration.record(watch.total() / 1000, { ...labels, outcome: "ok" });
    await (await row)({ ...watch.times(), usage, outcome: "ok", answer: said.text });
    return usage;
  } catch (error) {
    const { code } = toWisError(error);
    duration.record(watch.total() / 1000, { ...labels, outcome: code });
    await (await row)({ ...watch.times(), usage: {}, outcome: code, answer: said.text });
    throw error;
  } finally {
    begun.abort();
    await told;
  }
}

function stopwatch() {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  let firstTokenMs: number | null = null;
  return {
    first() {
      firstTokenMs = Math.round(elapsed());
      return elapsed();
    },
    total: elapsed,
    times: () => ({ firstTokenMs, durationMs: Math.round(elapsed()) }),
  };
}

interface Outcome {
  usage: ChatUsage;
  firstTokenMs: number | null;
  durationMs: number;
  outcome: string;
  answer: string;
}

/** Begins the attempt's row; what it gives ends it. The history is worth no answer: what fails there is recorded. */
async function openRow(
  { attempts, telemetry, config, now }: AttemptDeps,
  { host, turn, queueMs }: Attempt,
): Promise<(outcome: Outcome) => Promise<void>> {
  const { id: turnId, userId, model, place, question } = turn;
  const { guildId, channelId } = place;
  const id = newCapability();
  const kept = <T>(content: T) => (config.keep_content ? content : null);
  const noted = (work: Promise<void>) =>
    work.catch((error: unknown) => void telemetry.record(error, "writing the inference history"));
  await noted(
    attempts.begin({
      id,
      turnId,
      userId,
      guildId,
      channelId,
      model,
      host: host.name,
      createdAt: now(),
      queueMs,
      traceId: telemetry.traceId(),
      question: kept(question),
    }),
  );
  return ({ usage: { inputTokens = null, outputTokens = null }, answer, ...times }) =>
    noted(attempts.end(id, { ...times, endedAt: now(), inputTokens, outputTokens, answer: kept(answer) }));
}

async function passOn(
  { config }: AttemptDeps,
  { host, turn, messages, context, signal, buffer, said }: Attempt,
  onFirst: () => void,
): Promise<ChatUsage> {
  let usage: ChatUsage = {};
  let first = true;
  /** Nothing of it can be seen: not worth showing until something comes that can, and nothing said if none does. */
  let blank = "";
  const request = { model: turn.model, messages, keepAlive: config.keep_alive, context, signal };
  for await (const chunk of host.chat(request)) {
    if (chunk.type === "done") {
      usage = chunk.usage;
      said.isWhole = true;
      said.cutOff = chunk.reason === "length";
      continue;
    }
    if (first) onFirst();
    first = false;
    if (chunk.type === "thinking") {
      if (said.thinking === "") buffer.put({ type: "thinking" });
      if (said.thinking.length < LONGEST) said.thinking += chunk.text;
      continue;
    }
    if (said.text === "" && isBlank(chunk.text)) {
      blank += chunk.text;
    } else {
      const text = blank + chunk.text;
      blank = "";
      said.text += text;
      buffer.put({ type: "text", text });
      await buffer.room();
    }
    if (said.text.length + blank.length > LONGEST) {
      said.cutOff = true;
      break;
    }
  }
  if (said.text === "") throw empty(turn.model);
  return usage;
}

async function tellLoading(
  { telemetry }: AttemptDeps,
  { host, turn: { model }, signal, buffer }: Attempt,
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
