import { expect, test } from "bun:test";
import { openTestStore } from "./open-test-store.ts";

const channel = { placeId: "2", guildId: "1" };
const server = { placeId: "1", guildId: "1" };

test("a member's model is one choice, reminders are another", async () => {
  await using opened = await openTestStore();
  const { choices, llmChoices } = opened.store;
  expect(await llmChoices.modelOf("7")).toBeNull();
  await llmChoices.setModelOf("7", "qwen3");
  expect(await choices.reminders("7")).toBe(true);
  await choices.setReminders("7", false);
  expect(await llmChoices.modelOf("7")).toBe("qwen3");
  await llmChoices.setModelOf("7", "llama3.2");
  expect(await choices.reminders("7")).toBe(false);
  await llmChoices.setModelOf("7", null);
  expect(await llmChoices.modelOf("7")).toBeNull();
  expect(await choices.reminders("7")).toBe(false);
});

test("what is set of a place stays what it is while something else is set", async () => {
  await using opened = await openTestStore();
  const { llmChoices } = opened.store;
  await llmChoices.setPlace(channel, { model: "qwen3", threads: true });
  await llmChoices.setPlace(channel, { freeResponse: true });
  await llmChoices.setPlace(server, { off: true });
  const set = { ...channel, model: "qwen3", off: false, threads: true, freeResponse: true };
  expect(await llmChoices.places(["2", "3"])).toEqual([set]);
  await llmChoices.setPlace(channel, { model: null, threads: false });
  expect(
    (await llmChoices.places(["2", "1"])).toSorted((a, b) => a.placeId.localeCompare(b.placeId)),
  ).toEqual([
    { ...server, model: null, off: true, threads: false, freeResponse: false },
    { ...set, model: null, threads: false },
  ]);
  expect(await llmChoices.places([])).toEqual([]);
});

test("a persona has versions: the newest answers, all of them can be read", async () => {
  await using opened = await openTestStore();
  const { llmChoices } = opened.store;
  const say = (text: string, place = channel) =>
    llmChoices.addPersona({ ...place, text, authorId: "7", createdAt: 5 });
  expect(await Promise.all([say("pirate"), say("poet"), say("")])).toEqual([1, 2, 3]);
  expect(await say("clerk", server)).toBe(1);
  const newest = await llmChoices.personas(["1", "2", "3"]);
  expect(newest.toSorted((a, b) => a.placeId.localeCompare(b.placeId))).toEqual([
    { ...server, version: 1, text: "clerk", authorId: "7", createdAt: 5 },
    { ...channel, version: 3, text: "", authorId: "7", createdAt: 5 },
  ]);
  const versions = await llmChoices.personaVersions("2", 2);
  expect(versions.map(({ version, text }) => [version, text])).toEqual([
    [3, ""],
    [2, "poet"],
  ]);
});
