import { count } from "../lib/count.ts";
import type { AnswerEvent, AnswerFacts } from "../llm/llm.ts";
import { note, plain, truncate } from "./render.ts";

type Waiting = Extract<AnswerEvent, { type: "waiting" }>;

const LONGEST = 500;

/** The small print below an answer: who wrote it, and what it took. Nothing of what is not known. */
export function answerFooter(model: string, facts: AnswerFacts): string {
  const { dropped, truncated, waitedMs } = facts;
  const said = [
    plain(model),
    contextUsed(facts),
    speed(facts),
    waitedMs > 1_000 && `waited ${duration(waitedMs / 1_000)}`,
    dropped > 0 && `${count(dropped, "earlier message")} no longer ${dropped === 1 ? "fits" : "fit"}`,
    ...truncated.map((words) => plain(words)),
  ];
  return note(truncate(said.filter(Boolean).join(" · "), LONGEST));
}

/** How long an answer that waits has to wait. */
export function waitingText({ position, seconds }: Waiting): string {
  const about = seconds === undefined ? "" : `, about ${duration(seconds)}`;
  return `Waiting: place ${position}${about}`;
}

function contextUsed({ usage, context }: AnswerFacts): string | undefined {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const used = short((inputTokens ?? 0) + (outputTokens ?? 0));
  return context === undefined ? `${used} tokens` : `${used} of ${short(context)} tokens`;
}

function speed({ usage: { outputTokens, durationMs } }: AnswerFacts): string | undefined {
  if (!outputTokens || !durationMs) return undefined;
  return `${short(outputTokens / (durationMs / 1_000))} tokens a second`;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 2 });

/** `8192` → `8.2k`. */
function short(amount: number): string {
  return compact.format(amount).toLowerCase();
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
