import { isWisError, toWisError, type WisError } from "../errors.ts";
import { MAX_TIMER_MS, type Now } from "../lib/clock.ts";
import type { Member } from "../members/member.ts";
import type { Lease, Queue } from "../queue/ports.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { type AttemptDeps, type Said, tryHost } from "./attempt.ts";
import { budgetOf, USUAL_CONTEXT } from "./budget.ts";
import { readPast } from "./conversation.ts";
import { stopped, timedOut, tooLong } from "./endings.ts";
import { createEventBuffer } from "./event-buffer.ts";
import type { Answer, AnswerFacts } from "./llm.ts";
import type { Pace } from "./pace.ts";
import type { Pool } from "./pool.ts";
import type { ChatMessage, TurnLog, TurnRow } from "./ports.ts";
import { instructionOf, messagesOf } from "./prompt.ts";
import { createTally, type TallyDeps } from "./tally.ts";
import type { Counted } from "./usage.ts";

export interface AnswerDeps extends AttemptDeps, TallyDeps {
  pool: Pick<Pool, "host" | "isWarm" | "preference" | "refusal" | "succeeded" | "failed" | "contextOf">;
  queue: Queue;
  turns: TurnLog;
  pace: Pace;
  telemetry: Pick<Telemetry, "log" | "record" | "traceId">;
  /** Times in milliseconds, `context` in tokens. */
  config: AttemptDeps["config"] & { timeout: number; context?: number | undefined };
  now: Now;
}

/** A question that is to be answered. */
export interface OpenQuestion {
  turn: Omit<TurnRow, "state" | "text" | "thinking" | "endedAt" | "errorCode" | "vote">;
  member: Member;
  counted: Counted;
  images: Uint8Array[];
  persona: string;
  priority: number;
  /** Goes on with the turn before instead of asking anew. */
  goOn: boolean;
  /** What was read only in part. */
  truncated: string[];
}

/** An answer's life, from its place in the queue to its finished row. */
export interface RunningAnswer {
  readonly id: string;
  readonly userId: string;
  readonly conversation: string;
  readonly answer: Answer;
  /** Resolves when it waits or has a slot, and its row is written. Rejects when it was refused: then it is over. */
  readonly accepted: Promise<void>;
  /** Resolves when its slot is free and its row says how it ended. Never rejects. */
  readonly over: Promise<void>;
  /** Ends it, waiting or running; its events throw `error`. */
  end(error: WisError): void;
  /** The hosts have changed: it ends if none is left that could answer. */
  reconsider(): void;
}

const MAX_UNREAD_TEXT = 64_000;

type Outcome = { facts: AnswerFacts } | { error: WisError };

/** Puts a question into the queue and answers it when its turn comes, read or not. */
export function startAnswer(deps: AnswerDeps, open: OpenQuestion): RunningAnswer {
  const { pool, queue, turns, counter, pace, telemetry, metrics, config, now } = deps;
  const { turn, member, priority } = open;
  const { id, model } = turn;
  const askedAt = now();
  const abort = new AbortController();
  const { signal } = abort;
  const tried = new Set<string>();
  const said: Said = { text: "", thinking: "", cutOff: false, isWhole: false };
  const tally = createTally(deps, { member, model, said });
  let isWaiting = true;
  const buffer = createEventBuffer({
    maxText: MAX_UNREAD_TEXT,
    signal,
    onLeave: () => abort.abort(stopped()),
  });

  function slotOn(again: boolean, onPlaced: () => void): Promise<Lease> {
    return queue.acquire({
      key: member.id,
      priority,
      preference: pool.preference(model, tried),
      again,
      signal,
      onPosition(position) {
        buffer.put({ type: "waiting", position, seconds: pace.secondsUntil(position) });
        onPlaced();
      },
    });
  }

  async function live(accepted: PromiseWithResolvers<void>): Promise<void> {
    const placed = Promise.withResolvers<void>();
    const lease = slotOn(false, placed.resolve);
    try {
      await Promise.race([lease, placed.promise]);
      await turns.insert(turn, open.images);
    } catch (error) {
      accepted.reject(error);
      await giveUp(lease, error);
      return;
    }
    // They are read again when their turn comes: nobody who waits holds them in memory.
    open.images.length = 0;
    accepted.resolve();
    await finish(await outcomeOf(lease));
  }

  async function giveUp(lease: Promise<Lease>, error: unknown): Promise<void> {
    abort.abort(error);
    const [taken] = await Promise.allSettled([lease]);
    if (taken.status === "fulfilled") taken.value[Symbol.dispose]();
  }

  async function outcomeOf(lease: Promise<Lease>): Promise<Outcome> {
    try {
      return { facts: await onSomeHost(lease) };
    } catch (error) {
      return { error: toWisError(error) };
    }
  }

  /** Asks one host after another, as long as none has begun to answer. */
  async function onSomeHost(first: Promise<Lease>): Promise<AnswerFacts> {
    let deadline: Timer | undefined;
    let lease = first;
    try {
      for (;;) {
        using slot = await lease;
        isWaiting = false;
        deadline ??= setTimeout(
          () => abort.abort(timedOut(config.timeout)),
          Math.min(config.timeout, MAX_TIMER_MS),
        );
        try {
          return await onHost(slot.host);
        } catch (error) {
          if (said.text !== "" || !mayFailOver(error) || signal.aborted) throw error;
          tried.add(slot.host);
          if (pool.refusal(model, tried)) throw error;
          telemetry.log.warn({ err: error, host: slot.host, model }, "LLM: asking another host");
          said.thinking = "";
          said.isWhole = false;
          isWaiting = true;
          lease = slotOn(true, () => {});
        }
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  async function onHost(name: string): Promise<AnswerFacts> {
    const waitedMs = now() - askedAt;
    metrics.llm.queueWait.record(waitedMs / 1000, { model });
    const host = pool.host(name);
    const context = pool.contextOf(model, name, config.context);
    assertFits(context);
    const { messages, dropped } = await promptFor(context ?? USUAL_CONTEXT);
    const startedAt = performance.now();
    try {
      // The host is asked before the row is written: the disk must not delay the first token.
      const [streamed, noted] = await Promise.allSettled([
        tryHost(deps, {
          ...{ host, turn, messages, context, signal, buffer, said },
          queueMs: waitedMs,
          isWarm: pool.isWarm(model, name),
        }),
        note(),
      ]);
      if (streamed.status === "rejected") throw streamed.reason;
      if (noted.status === "rejected") throw noted.reason;
      pool.succeeded(name, model);
      const counted = streamed.value;
      const took = performance.now() - startedAt;
      pace.took(took);
      await tally.whole(messages, counted, took);
      const { cutOff, thinking } = said;
      const { truncated } = open;
      const hasThinking = thinking.trim() !== "";
      return { usage: counted, context, dropped, truncated, waitedMs, cutOff, hasThinking };
    } catch (error) {
      // A host that had no word to say is well all the same.
      if (said.text === "" && !said.isWhole) pool.failed(name, error);
      const gpuMs = performance.now() - startedAt;
      if (said.text !== "" || said.thinking !== "" || said.isWhole) await tally.part(messages, gpuMs);
      // What a host failed at is no fault of the asker.
      else if (!mayFailOver(error)) await tally.time(gpuMs);
      throw error;
    }
  }

  /** Hosts cut what is too long, some from its beginning, and say nothing. Another host may read more. */
  function assertFits(context: number | undefined): void {
    const tokens = counter.fewest(model, turn.documents + turn.question);
    if (context !== undefined && tokens >= context) throw tooLong(tokens, context);
  }

  /** The conversation as far as it fits; the oldest turns stay out. */
  async function promptFor(context: number): Promise<{ messages: ChatMessage[]; dropped: number }> {
    const { persona, goOn } = open;
    const fixed = counter.estimate(model, instructionOf(persona)) + turn.tokens;
    const past = await readPast({ turns }, { turn, room: budgetOf(context).prompt - fixed, goOn });
    const asked = { ...turn, images: past.images };
    return { messages: messagesOf({ persona, past: past.turns, asked, goOn }), dropped: past.dropped };
  }

  async function note(): Promise<void> {
    try {
      await turns.answering(id, model);
    } catch (error) {
      abort.abort(error);
      throw error;
    }
  }

  async function finish(outcome: Outcome): Promise<void> {
    isWaiting = false;
    metrics.llm.requests.add(1, { model, outcome: "error" in outcome ? outcome.error.code : "ok" });
    const { text, thinking } = said;
    const tokens = turn.tokens + counter.estimate(model, text);
    if ("error" in outcome && text === "") await open.counted.giveBack();
    try {
      await turns.end(id, { ...stateOf(outcome), endedAt: now(), text, thinking, tokens });
    } catch (error) {
      telemetry.record(error, "noting how an answer ended");
      buffer.fail("error" in outcome ? outcome.error : toWisError(error));
      return;
    }
    if ("error" in outcome) return buffer.fail(outcome.error);
    buffer.put({ type: "done", model, facts: outcome.facts });
  }

  const accepted = Promise.withResolvers<void>();
  const over = live(accepted);
  return {
    id,
    userId: member.id,
    conversation: turn.conversation,
    answer: {
      id,
      model,
      question: turn.question,
      events: buffer.events,
      moved: (messageId) => turns.moved(id, messageId),
    },
    accepted: accepted.promise,
    over,
    end: (error) => abort.abort(error),
    reconsider() {
      const refusal = isWaiting ? pool.refusal(model, tried) : undefined;
      if (refusal) abort.abort(refusal);
    },
  };
}

/** What another host may do better. An answer that has begun is not begun again. */
function mayFailOver(error: unknown): boolean {
  return isWisError(
    error,
    "llm.unreachable",
    "llm.host_busy",
    "llm.model_missing",
    "llm.bad_reply",
    "llm.cut",
    "bad_request",
  );
}

function stateOf(outcome: Outcome): {
  state: "done" | "stopped" | "failed" | "interrupted";
  errorCode?: string;
} {
  if (!("error" in outcome)) return { state: "done" };
  const { error } = outcome;
  if (error.code === "llm.stopped") return { state: "stopped" };
  if (error.code === "llm.interrupted") return { state: "interrupted" };
  return { state: "failed", errorCode: error.code };
}
