import { expect, test } from "bun:test";
import { newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";

const place = {
  guildId: null,
  channelId: "2",
  messageId: null,
  applicationId: "3",
  interactionToken: "secret",
  interactionAt: 5,
};

const fresh = (createdAt = 1) => ({ id: newCapability(), userId: "1", model: "llama3.2", place, createdAt });

test("an answer is unfinished from its question to its end, and says where it is shown", async () => {
  await using opened = await openTestStore();
  const { answers } = opened.store;
  const [later, row] = [fresh(2), fresh(1)];
  await answers.insert(later);
  await answers.insert(row);
  const queued = {
    ...row,
    state: "queued" as const,
    endedAt: null,
    inputTokens: null,
    outputTokens: null,
    errorCode: null,
  };
  expect(await answers.unfinished()).toEqual([queued, { ...queued, ...later }]);

  await answers.answering(row.id);
  await answers.moved(row.id, "77");
  const [answering] = await answers.unfinished();
  expect(answering).toEqual({ ...queued, state: "answering", place: { ...place, messageId: "77" } });

  await answers.end(row.id, { state: "done", endedAt: 9, usage: { inputTokens: 3, outputTokens: 4 } });
  expect((await answers.unfinished()).map(({ id }) => id)).toEqual([later.id]);
});

test("the first end of an answer is its end, and an ended answer does not go on", async () => {
  await using opened = await openTestStore();
  const { answers } = opened.store;
  const row = fresh();
  await answers.insert(row);
  await answers.end(row.id, { state: "stopped", endedAt: 10 });
  await answers.end(row.id, { state: "failed", endedAt: 99, errorCode: "llm.cut" });
  await answers.answering(row.id);
  expect(await answers.unfinished()).toEqual([]);
  expect(await answers.drop(11, 10)).toBe(1);
});

test("only ended answers are dropped, by age, at most as many as asked", async () => {
  await using opened = await openTestStore();
  const { answers } = opened.store;
  const rows = [fresh(), fresh(), fresh(), fresh()];
  for (const row of rows) await answers.insert(row);
  for (const { id } of rows.slice(1)) await answers.end(id, { state: "interrupted", endedAt: 10 });
  expect(await answers.drop(10, 9)).toBe(0);
  expect(await answers.drop(11, 2)).toBe(2);
  expect(await answers.drop(11, 2)).toBe(1);
  expect(await answers.unfinished()).toHaveLength(1);
});
