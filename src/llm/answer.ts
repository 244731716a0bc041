import { toWisError, type WisError } from "../errors.ts";
import { newCapability } from "../lib/capability.ts";
import { MAX_TIMER_MS, type Now } from "../lib/clock.ts";
import type { Lease, Queue } from "../queue/ports.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { askHost } from "./ask-host.ts";
import { stopped, timedOut } from "./endings.ts";
import { createEventBuffer } from "./event-buffer.ts";
import type { Answer, Question } from "./llm.ts";
import type { AnswerLog, ChatUsage, ModelHost } from "./ports.ts";
import { messagesOf } from "./prompt.ts";

export interface AnswerDeps {
  hosts: readonly ModelHost[];
  queue: Queue;
  answers: AnswerLog;
  telemetry: Pick<Telemetry, "log" | "record">;
  metrics: Pick<Metrics, "llm">;
  config: { model: string; keep_alive: number; timeout: number };
  now: Now;
}

/** An answer's life, from its place in the queue to its finished row. */
export interface RunningAnswer {
  readonly id: string;
  readonly userId: string;
  readonly answer: Answer;
  /** Resolves when it waits or has a slot, and its row is written. Rejects when it was refused: then it is over. */
  readonly accepted: Promise<void>;
  /** Resolves when its slot is free and its row says how it ended. Never rejects. */
  readonly over: Promise<void>;
  /** Ends it, waiting or running; its events throw `error`. */
  end(error: WisError): void;
}

const MAX_UNREAD_TEXT = 64_000;

type Outcome = { usage: ChatUsage } | { error: WisError };

/** Puts a question into the queue and answers it when its turn comes, read or not. */
export function startAnswer(deps: AnswerDeps, question: Question): RunningAnswer {
  const { queue, answers, telemetry, metrics, config, now } = deps;
  const { member, place } = question;
  const { model } = config;
  const messages = messagesOf([{ from: "member", text: question.prompt }]);
  const id = newCapability();
  const askedAt = now();
  const abort = new AbortController();
  const { signal } = abort;
  const buffer = createEventBuffer({
    maxText: MAX_UNREAD_TEXT,
    signal,
    onLeave: () => abort.abort(stopped()),
  });

  async function live(accepted: PromiseWithResolvers<void>): Promise<void> {
    const placed = Promise.withResolvers<void>();
    const lease = queue.acquire({
      key: member.id,
      signal,
      onPosition(position) {
        buffer.put({ type: "waiting", position });
        placed.resolve();
      },
    });
    try {
      await Promise.race([lease, placed.promise]);
      await answers.insert({ id, userId: member.id, model, place, createdAt: askedAt });
    } catch (error) {
      accepted.reject(error);
      await giveUp(lease, error);
      return;
    }
    accepted.resolve();
    await finish(await outcomeOf(lease));
  }

  async function giveUp(lease: Promise<Lease>, error: unknown): Promise<void> {
    abort.abort(error);
    const [taken] = await Promise.allSettled([lease]);
    if (taken.status === "fulfilled") taken.value[Symbol.dispose]();
    metrics.llm.requests.add(1, { model, outcome: toWisError(error).code });
  }

  async function outcomeOf(lease: Promise<Lease>): Promise<Outcome> {
    try {
      return { usage: await inSlot(lease) };
    } catch (error) {
      return { error: toWisError(error) };
    }
  }

  async function inSlot(lease: Promise<Lease>): Promise<ChatUsage> {
    using slot = await lease;
    metrics.llm.queueWait.record((now() - askedAt) / 1000, { model });
    const host = deps.hosts.find(({ name }) => name === slot.host);
    if (!host) throw new Error(`the queue lent a slot on "${slot.host}", which is no host`);
    const deadline = setTimeout(
      () => abort.abort(timedOut(config.timeout)),
      Math.min(config.timeout, MAX_TIMER_MS),
    );
    try {
      // The host is asked before the row is written: the disk must not delay the first token.
      const [streamed, noted] = await Promise.allSettled([
        askHost(deps, { host, messages, signal, buffer }),
        note(),
      ]);
      if (streamed.status === "rejected") throw streamed.reason;
      if (noted.status === "rejected") throw noted.reason;
      return streamed.value;
    } finally {
      clearTimeout(deadline);
    }
  }

  async function note(): Promise<void> {
    try {
      await answers.answering(id);
    } catch (error) {
      abort.abort(error);
      throw error;
    }
  }

  async function finish(outcome: Outcome): Promise<void> {
    metrics.llm.requests.add(1, { model, outcome: "error" in outcome ? outcome.error.code : "ok" });
    try {
      await answers.end(id, { ...rowOf(outcome), endedAt: now() });
    } catch (error) {
      telemetry.record(error, "Noting how an answer ended");
      buffer.fail("error" in outcome ? outcome.error : toWisError(error));
      return;
    }
    if ("error" in outcome) return buffer.fail(outcome.error);
    const { inputTokens = 0, outputTokens = 0 } = outcome.usage;
    metrics.llm.inputTokens.add(inputTokens, { model });
    metrics.llm.outputTokens.add(outputTokens, { model });
    buffer.put({ type: "done", model, usage: outcome.usage });
  }

  const accepted = Promise.withResolvers<void>();
  const over = live(accepted);
  return {
    id,
    userId: member.id,
    answer: { id, events: buffer.events, moved: (messageId) => answers.moved(id, messageId) },
    accepted: accepted.promise,
    over,
    end: (error) => abort.abort(error),
  };
}

function rowOf(outcome: Outcome): Omit<Parameters<AnswerLog["end"]>[1], "endedAt"> {
  if (!("error" in outcome)) return { state: "done", usage: outcome.usage };
  const { error } = outcome;
  if (error.code === "llm.stopped") return { state: "stopped" };
  if (error.code === "llm.interrupted") return { state: "interrupted" };
  return { state: "failed", errorCode: error.code };
}
