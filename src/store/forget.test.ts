import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openTestStore, type TestStore } from "./open-test-store.ts";
import { attempt, ended, ending, followUp, place, question } from "./turn-rows.fixture.ts";

const member = "100000000000000042";
/** In everything that is the member's alone. */
const secret = "xyzzy";

/** How often these bytes are in any file of the data dir. */
async function occurrences(dataDir: string, text: string): Promise<number> {
  const files = (await readdir(dataDir)).map((name) => readFile(join(dataDir, name), "latin1"));
  return (await Promise.all(files)).reduce((sum, bytes) => sum + bytes.split(text).length - 1, 0);
}

/** The member's turns among those of others, each written as an answer comes, some of them gone again. */
async function converse({ turns, attempts }: TestStore["store"], count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const mine = at % 3 === 0;
    const word = mine ? `${secret} ` : "plain ";
    const words = word.repeat(1 + ((at * 7) % 60) ** 2 / 3);
    const row = question({
      userId: mine ? member : `10000000000000000${at % 7}`,
      userName: word,
      question: words,
      documents: at % 5 === 0 ? words : "",
      createdAt: at,
    });
    await turns.insert(row, mine && at % 9 === 0 ? [Buffer.from(words)] : []);
    await turns.moved(row.id, `${at}00000`);
    const tried = attempt({ turnId: row.id, userId: row.userId, question: words, createdAt: at });
    await attempts.begin(tried);
    await attempts.end(tried.id, {
      endedAt: at,
      inputTokens: 1,
      outputTokens: 2,
      firstTokenMs: 3,
      durationMs: 4,
      outcome: "ok",
      answer: words,
    });
    if (at % 11 !== 0) await turns.end(row.id, ending({ text: words, thinking: word, endedAt: at }));
    await turns.vote(row.id, row.userId, 1);
    if (at % 50 === 0) await turns.drop(at, 5);
  }
}

test("of a forgotten member no byte is left in the data dir: not the id, and no word", async () => {
  await using opened = await openTestStore();
  const { store, dataDir } = opened;
  const { turns, attempts, llmChoices } = store;
  await converse(store, 600);
  await llmChoices.setModelOf(member, "qwen3");
  const persona = { placeId: "5", guildId: "9", text: "You are a pirate.", authorId: member, createdAt: 1 };
  await llmChoices.addPersona(persona);
  expect(await occurrences(dataDir, member)).toBeGreaterThan(200);
  expect(await occurrences(dataDir, secret)).toBeGreaterThan(2000);

  const others = (await attempts.list({ limit: 1000 })).filter(({ userId }) => userId !== member).length;
  const forgotten = await turns.forget(member);
  expect(forgotten).toEqual({ turns: expect.any(Number), attempts: 200, choices: 1 });
  expect(forgotten.turns).toBeGreaterThan(100);
  expect(await occurrences(dataDir, member)).toBe(0);
  expect(await occurrences(dataDir, secret)).toBe(0);

  expect(await attempts.list({ limit: 1000 })).toHaveLength(others);
  expect(await llmChoices.personas(["5"])).toEqual([{ ...persona, version: 1, authorId: null }]);
  // Nothing that is kept in memory brings anything back.
  await turns.insert(question(), []);
  expect(await occurrences(dataDir, secret)).toBe(0);
});

test("what others asked under a forgotten turn stays, and its past ends there", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const root = question({ userId: "2" });
  const mine = followUp(root, { userId: member, place: { ...place, messageId: "7" } });
  const theirs = followUp(mine, { userId: "2" });
  const last = followUp(theirs, { userId: "3" });
  await ended(turns, [root, mine, theirs, last]);
  await turns.forget(member);
  const path = await turns.path(last.id, { maxTokens: 1e9, most: 10 });
  expect(path.map(({ id }) => id)).toEqual([last.id, theirs.id]);
  expect(await turns.find(root.id)).toBeDefined();
  expect(await turns.shownBy("7")).toBeUndefined();
});

test("an answer that is still being written is erased too, and its end brings nothing back", async () => {
  await using opened = await openTestStore();
  const { turns, attempts } = opened.store;
  const row = question({ userId: member });
  await turns.insert(row, []);
  await turns.forget(member);
  await turns.moved(row.id, "8");
  await turns.end(row.id, ending());
  expect(await turns.unfinished()).toEqual([]);
  expect(await turns.find(row.id)).toBeUndefined();
  expect(await attempts.list({ userId: member, limit: 9 })).toEqual([]);
});

test("a forgotten member is still not reminded of files, if that is what they chose", async () => {
  await using opened = await openTestStore();
  const { turns, choices, llmChoices } = opened.store;
  await choices.setReminders(member, false);
  await llmChoices.setModelOf(member, "qwen3");
  expect((await turns.forget(member)).choices).toBe(1);
  expect(await choices.reminders(member)).toBe(false);
  expect(await llmChoices.modelOf(member)).toBeNull();
  expect(await turns.forget(member)).toEqual({ turns: 0, attempts: 0, choices: 0 });
});

test("many can be forgotten at once", async () => {
  await using opened = await openTestStore();
  const { store, dataDir } = opened;
  const members = Array.from({ length: 8 }, (_, at) => `20000000000000000${at}`);
  for (const userId of members) await ended(store.turns, [question({ userId })]);
  const forgotten = await Promise.all(members.map((userId) => store.turns.forget(userId)));
  expect(forgotten.map(({ turns }) => turns)).toEqual(members.map(() => 1));
  expect(await occurrences(dataDir, "20000000000000000")).toBe(0);
});
