// Turns and attempts as the rules hand them in.
import { newCapability } from "../lib/capability.ts";
import type { AttemptLog, TurnEnd, TurnLog } from "../llm/ports.ts";

export type NewTurn = Parameters<TurnLog["insert"]>[0];
export type NewAttempt = Parameters<AttemptLog["begin"]>[0];

export const place = {
  guildId: null,
  channelId: "2",
  messageId: null,
  applicationId: "3",
  interactionToken: "secret",
  interactionAt: 5,
};

/** A question that begins a conversation. */
export function question(given: Partial<NewTurn> = {}): NewTurn {
  const id = given.id ?? newCapability();
  return {
    id,
    conversation: id,
    parentId: null,
    depth: 0,
    userId: "1",
    userName: "Ada",
    question: "Why?",
    documents: "",
    model: "llama3.2",
    place,
    createdAt: 1,
    tokens: 10,
    ...given,
  };
}

/** One that follows another in its conversation. */
export function followUp(before: NewTurn, given: Partial<NewTurn> = {}): NewTurn {
  const { id: parentId, conversation, depth, createdAt } = before;
  return question({ conversation, parentId, depth: depth + 1, createdAt: createdAt + 1, ...given });
}

export function ending(given: Partial<TurnEnd> = {}): TurnEnd {
  return { state: "done", endedAt: 10, text: "Because.", thinking: "", tokens: 20, ...given };
}

/** Writes turns that have ended; gives them. */
export async function ended(turns: TurnLog, rows: NewTurn[], end: Partial<TurnEnd> = {}): Promise<NewTurn[]> {
  for (const row of rows) {
    await turns.insert(row, []);
    await turns.end(row.id, ending({ tokens: row.tokens, ...end }));
  }
  return rows;
}

/** So many turns, each the answer to the one before it. */
export function chain(length: number, given: Partial<NewTurn> = {}): NewTurn[] {
  const rows = [question(given)];
  while (rows.length < length) rows.push(followUp(rows.at(-1) ?? question(), given));
  return rows;
}

export function attempt(given: Partial<NewAttempt> = {}): NewAttempt {
  return {
    id: newCapability(),
    turnId: newCapability(),
    userId: "1",
    guildId: "9",
    channelId: "2",
    model: "llama3.2",
    host: "local",
    createdAt: 1,
    queueMs: 3,
    traceId: "f".repeat(32),
    question: null,
    ...given,
  };
}
