import { count } from "../lib/count.ts";
import { formatDuration } from "../lib/duration.ts";
import { isOlder, writeCursor } from "../llm/attempt-cursor.ts";
import type { Allowed, Llm } from "../llm/llm.ts";
import { outcomeText } from "../llm/outcome.ts";
import type { AttemptCursor, AttemptRow } from "../llm/ports.ts";
import type { Member } from "../members/member.ts";
import { button, row } from "./buttons.ts";
import { note, plain, relativeTime } from "./render.ts";
import type { Body } from "./respond.ts";

// Somebody's own questions, a page at a time. Nothing of it is kept: each button says where the page begins.

const PAGE = 10;
/** Pages are sought in steps of so many. */
const STEP = 100;

/** The questions before one of them, or the newest. */
export async function historyPage(
  llm: Pick<Llm, "history" | "allowed">,
  member: Member,
  before?: AttemptCursor,
): Promise<Body> {
  const [found, allowed] = await Promise.all([
    llm.history({ userId: member.id, limit: PAGE + 1, ...(before && { before }) }),
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
    ...(before ? [button({ label: "Newer", id: `history:newer:${writeCursor(before)}` })] : []),
    ...(last ? [button({ label: "Older", id: `history:older:${writeCursor(last)}` })] : []),
  ];
  return { content: lines.join("\n"), ...(buttons.length > 0 && { components: [row(buttons)] }) };
}

/** Before which question the page begins that ends with `end`. Undefined: it is the first. */
export async function pageUpTo(
  llm: Pick<Llm, "history">,
  userId: string,
  end: AttemptCursor,
): Promise<AttemptCursor | undefined> {
  let newer: AttemptCursor[] = [];
  let before: AttemptCursor | undefined;
  // From the newest on: no further than somebody has turned the pages by hand.
  do {
    const step = await llm.history({ userId, limit: STEP, ...(before && { before }) });
    const found = step.filter((one) => !isOlder(one, end));
    newer = [...newer, ...found].slice(-PAGE - 1);
    before = found.length === STEP ? found.at(-1) : undefined;
  } while (before);
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
