import { count } from "../lib/count.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Allowed, Llm } from "../llm/llm.ts";
import type { AttemptRow } from "../llm/ports.ts";
import type { Member } from "../members/member.ts";
import { button, row } from "./buttons.ts";
import { note, plain, relativeTime } from "./render.ts";
import type { Body } from "./respond.ts";

// Somebody's own questions, a page at a time. Nothing of it is kept: each button says where the page begins.

const PAGE = 10;
/** Pages are sought in steps of so many. */
const STEP = 100;

/** The questions from before a moment, or the newest. Milliseconds since the epoch. */
export async function historyPage(
  llm: Pick<Llm, "history" | "allowed">,
  member: Member,
  before?: number,
): Promise<Body> {
  const [found, allowed] = await Promise.all([
    llm.history({ userId: member.id, limit: PAGE + 1, ...(before !== undefined && { before }) }),
    llm.allowed(member),
  ]);
  const shown = found.slice(0, PAGE);
  const last = found.length > PAGE ? shown.at(-1) : undefined;
  const lines = [
    quotaLine(allowed),
    ...(shown.length === 0 ? ["You have asked nothing yet. Begin with `/wis llm`."] : []),
    ...shown.map(attemptLine),
  ];
  const buttons = [
    ...(before === undefined ? [] : [button({ label: "Newer", id: `history:newer:${before.toString(36)}` })]),
    ...(last ? [button({ label: "Older", id: `history:older:${last.createdAt.toString(36)}` })] : []),
  ];
  return { content: lines.join("\n"), ...(buttons.length > 0 && { components: [row(buttons)] }) };
}

/** Before which moment the page begins that ends where the one from before `end` begins. Undefined: it is the first. */
export async function pageUpTo(
  llm: Pick<Llm, "history">,
  userId: string,
  end: number,
): Promise<number | undefined> {
  let newer: number[] = [];
  let before: number | undefined;
  // From the newest on: no further than somebody has turned the pages by hand.
  do {
    const step = await llm.history({ userId, limit: STEP, ...(before !== undefined && { before }) });
    const moments = step.map(({ createdAt }) => createdAt).filter((at) => at >= end);
    newer = [...newer, ...moments].slice(-PAGE - 1);
    before = moments.length === STEP ? moments.at(-1) : undefined;
  } while (before !== undefined);
  return newer.length > PAGE ? newer[0] : undefined;
}

function attemptLine(attempt: AttemptRow): string {
  const { createdAt, model, inputTokens, outputTokens, durationMs, outcome, vote } = attempt;
  const tokens = (inputTokens ?? 0) + (outputTokens ?? 0);
  const facts = [
    relativeTime(createdAt),
    plain(model, 40),
    ...(tokens > 0 ? [count(tokens, "token")] : []),
    ...(durationMs === null ? [] : [seconds(durationMs)]),
    outcomeText(outcome) + (vote === 0 ? "" : vote > 0 ? " 👍" : " 👎"),
  ];
  return facts.join(" · ");
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

const OUTCOMES: Record<string, string> = {
  ok: "answered",
  "llm.stopped": "stopped",
  "llm.interrupted": "interrupted",
  "llm.timeout": "took too long",
  "llm.unreachable": "model server away",
  "llm.host_busy": "model server busy",
  "llm.model_missing": "model missing",
  "llm.cut": "cut off",
  "llm.bad_reply": "no usable answer",
};

function outcomeText(outcome: string | null): string {
  if (outcome === null) return "being answered";
  return OUTCOMES[outcome] ?? "failed";
}

const QUOTA = [
  ["requests", String, "questions"],
  ["tokens", String, "tokens"],
  ["gpuMs", formatDuration, "of GPU time"],
] as const;

function quotaLine({ used, allowance, resetsAt }: Allowed): string {
  const left = QUOTA.flatMap(([key, say, noun]) => {
    const most = allowance[key];
    return most === undefined ? [] : `${say(Math.max(0, most - used[key]))} of ${say(most)} ${noun}`;
  });
  if (left.length === 0) return note("You may ask as much as you like.");
  return note(`Left: ${left.join(", ")}. It starts anew ${relativeTime(resetsAt)}.`);
}
