import type { Store } from "../store/open.ts";
import { attempt, type NewAttempt, question } from "../store/turn-rows.fixture.ts";

type End = Parameters<Store["attempts"]["end"]>[1];

const answered: End = {
  endedAt: 5_000,
  inputTokens: 1_200,
  outputTokens: 45,
  firstTokenMs: 250,
  durationMs: 4_000,
  outcome: "ok",
  answer: null,
};

/** Writes an attempt as the desk does, with its turn; it has ended, and was voted on if so said. Gives its id. */
export async function remember(
  { turns, attempts }: Store,
  given: Partial<NewAttempt> = {},
  { vote = 0, ...end }: Partial<End> & { vote?: number } = {},
): Promise<string> {
  const row = attempt(given);
  await turns.insert(question({ id: row.turnId, userId: row.userId }), []);
  await attempts.begin(row);
  await attempts.end(row.id, { ...answered, ...end });
  if (vote !== 0) await turns.vote(row.turnId, row.userId, vote);
  return row.id;
}
