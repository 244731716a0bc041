import { expect, test } from "bun:test";
import type { AttemptCursor, AttemptLog } from "../llm/ports.ts";
import { openTestStore } from "./open-test-store.ts";
import { attempt, type NewAttempt, question } from "./turn-rows.fixture.ts";

type End = Parameters<AttemptLog["end"]>[1];

const end = (given: Partial<End> = {}): End => ({
  endedAt: 10,
  inputTokens: 5,
  outputTokens: 6,
  firstTokenMs: 7,
  durationMs: 8,
  outcome: "ok",
  answer: null,
  ...given,
});

/** Writes attempts that have ended. */
async function tried(attempts: AttemptLog, rows: NewAttempt[], given: Partial<End> = {}): Promise<void> {
  for (const row of rows) {
    await attempts.begin(row);
    await attempts.end(row.id, end(given));
  }
}

test("an attempt is a row from its beginning on, failures too, and its first end is its end", async () => {
  await using opened = await openTestStore();
  const { attempts } = opened.store;
  const row = attempt({ question: "Why?" });
  await attempts.begin(row);
  const running = {
    ...row,
    endedAt: null,
    inputTokens: null,
    outputTokens: null,
    firstTokenMs: null,
    durationMs: null,
    outcome: null,
    vote: 0,
    answer: null,
  };
  expect(await attempts.list({ limit: 9 })).toMatchObject([running]);
  const failed = end({ inputTokens: null, outputTokens: null, firstTokenMs: null, outcome: "llm.cut" });
  await attempts.end(row.id, failed);
  await attempts.end(row.id, end());
  expect(await attempts.list({ limit: 9 })).toMatchObject([{ ...running, ...failed }]);
});

test("the history is listed newest first, of everybody, a member, a guild or a member in a guild, in pages", async () => {
  await using opened = await openTestStore();
  const { attempts } = opened.store;
  const rows = [
    ["1", "9"],
    ["2", "9"],
    ["1", "8"],
    ["1", null],
    ["1", "9"],
  ] as const;
  for (const [at, [userId, guildId]] of rows.entries()) {
    await attempts.begin(attempt({ userId, guildId, createdAt: at }));
  }
  const times = async (input: Omit<Parameters<AttemptLog["list"]>[0], "limit">, limit = 9) =>
    (await attempts.list({ ...input, limit })).map(({ createdAt }) => createdAt);
  expect(await times({})).toEqual([4, 3, 2, 1, 0]);
  expect(await times({ userId: "1" })).toEqual([4, 3, 2, 0]);
  expect(await times({ guildId: "9" })).toEqual([4, 1, 0]);
  expect(await times({ userId: "1", guildId: "9" })).toEqual([4, 0]);
  expect(await times({ userId: "1" }, 2)).toEqual([4, 3]);
});

test.each([
  ["of everybody", {}],
  ["of a member", { userId: "1" }],
  ["of a guild", { guildId: "9" }],
  ["of a member in a guild", { userId: "1", guildId: "9" }],
])(
  "the pages of the history have every row once, however many came in one millisecond: %s",
  async (_, whose) => {
    await using opened = await openTestStore();
    const { attempts } = opened.store;
    const rows = Array.from({ length: 10 }, (_, at) => attempt({ createdAt: at < 7 ? 1 : 2 }));
    for (const row of rows) await attempts.begin(row);
    const seen: string[] = [];
    let before: AttemptCursor | undefined;
    do {
      const page = await attempts.list({ ...whose, ...(before && { before }), limit: 3 });
      seen.push(...page.map(({ id }) => id));
      before = page.at(-1);
    } while (before);
    expect(seen).toEqual(rows.map(({ id }) => id).reverse());
  },
);

test("votes are counted a model, of what was answered in that guild, or everywhere", async () => {
  await using opened = await openTestStore();
  const { attempts, turns } = opened.store;
  const voted = async (vote: number, given: Partial<NewAttempt>, outcome = "ok") => {
    const turn = question();
    await turns.insert(turn, []);
    await tried(attempts, [attempt({ turnId: turn.id, ...given })], { outcome });
    await turns.vote(turn.id, turn.userId, vote);
  };
  await voted(1, {});
  await voted(1, {});
  await voted(-1, {});
  await voted(0, {});
  await voted(-1, { model: "qwen3" });
  await voted(-1, {}, "llm.cut");
  await voted(1, { guildId: "8" });
  await voted(1, { guildId: null });
  expect(await attempts.votes("9")).toEqual([
    { model: "llama3.2", up: 2, down: 1, answers: 4 },
    { model: "qwen3", up: 0, down: 1, answers: 1 },
  ]);
  expect(await attempts.votes(null)).toEqual([{ model: "llama3.2", up: 1, down: 0, answers: 1 }]);
  expect(await attempts.votes()).toEqual([
    { model: "llama3.2", up: 4, down: 1, answers: 6 },
    { model: "qwen3", up: 0, down: 1, answers: 1 },
  ]);
});

test("what was running when wisbot was killed is closed as interrupted", async () => {
  await using opened = await openTestStore();
  const { attempts } = opened.store;
  await tried(attempts, [attempt({ createdAt: 1 })]);
  await attempts.begin(attempt({ createdAt: 2 }));
  expect(await attempts.closeAbandoned(50)).toBe(1);
  expect(await attempts.closeAbandoned(60)).toBe(0);
  const ends = (await attempts.list({ limit: 9 })).map(({ endedAt, outcome }) => [endedAt, outcome]);
  expect(ends).toEqual([
    [50, "llm.interrupted"],
    [10, "ok"],
  ]);
});

test("old attempts are dropped, the oldest first, at most as many as asked", async () => {
  await using opened = await openTestStore();
  const { attempts } = opened.store;
  for (const createdAt of [3, 1, 2, 9]) await tried(attempts, [attempt({ createdAt })]);
  expect(await attempts.drop(9, 2)).toBe(2);
  expect((await attempts.list({ limit: 9 })).map(({ createdAt }) => createdAt)).toEqual([9, 3]);
  expect(await attempts.drop(9, 2)).toBe(1);
});

test("everything of one member is given oldest first, those of one millisecond at a page's edge too", async () => {
  await using opened = await openTestStore();
  const { attempts } = opened.store;
  for (let at = 0; at < 450; at += 1) await attempts.begin(attempt({ userId: "1", createdAt: at >> 7 }));
  await attempts.begin(attempt({ userId: "2", createdAt: 0 }));
  const mine = await Array.fromAsync(attempts.of("1"));
  expect(mine.map(({ createdAt }) => createdAt)).toEqual(Array.from({ length: 450 }, (_, at) => at >> 7));
  expect(new Set(mine.map(({ id }) => id)).size).toBe(450);
});
