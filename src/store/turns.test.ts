import { expect, test } from "bun:test";
import fc from "fast-check";
import { openTestStore } from "./open-test-store.ts";
import { attempt, chain, ended, ending, followUp, place, question } from "./turn-rows.fixture.ts";

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

/** More than anything here takes. */
const roomy = { maxTokens: 1e9, most: 1e6 };

test("a turn is unfinished from its question to its end, and says where it is shown", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const [later, row] = [question({ createdAt: 2 }), question({ documents: "list.txt: milk" })];
  await turns.insert(later, []);
  await turns.insert(row, []);
  const queued = {
    ...row,
    state: "queued" as const,
    text: "",
    thinking: "",
    endedAt: null,
    errorCode: null,
    vote: 0,
  };
  expect(await turns.unfinished()).toEqual([queued, { ...queued, ...later }]);

  await turns.answering(row.id, "qwen3");
  await turns.moved(row.id, "77");
  const answering = {
    ...queued,
    state: "answering" as const,
    model: "qwen3",
    place: { ...place, messageId: "77" },
  };
  expect((await turns.unfinished())[0]).toEqual(answering);

  const end = { endedAt: 9, text: "It is so.", thinking: "Hm.", tokens: 33 };
  await turns.end(row.id, { state: "done", ...end });
  expect(ids(await turns.unfinished())).toEqual([later.id]);
  expect(await turns.find(row.id)).toEqual({ ...answering, state: "done", ...end });
  expect(await turns.find("another")).toBeUndefined();
});

test("the first end of a turn is its end, and an ended turn does not go on", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const row = question();
  await turns.insert(row, []);
  await turns.end(row.id, ending({ state: "failed", errorCode: "llm.cut", text: "Bec" }));
  await turns.end(row.id, ending({ state: "stopped", text: "Because" }));
  await turns.answering(row.id, "qwen3");
  expect(await turns.find(row.id)).toMatchObject({
    state: "failed",
    errorCode: "llm.cut",
    text: "Bec",
    model: "llama3.2",
  });
});

test("every message that ever showed a turn leads back to it", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const shown = question({ place: { ...place, messageId: "10" } });
  const other = question();
  for (const row of [shown, other]) await turns.insert(row, []);
  await turns.moved(shown.id, "11");
  await turns.moved(other.id, "20");
  const found = await Promise.all(["10", "11", "20", "12"].map((message) => turns.shownBy(message)));
  expect(found.map((turn) => turn?.id)).toEqual([shown.id, shown.id, other.id, undefined]);
  expect(found[0]?.place.messageId).toBe("11");

  await turns.moved("erased meanwhile", "30");
  expect(await turns.shownBy("30")).toBeUndefined();
});

test("a conversation goes on from the newest turn that said something, whatever failed since", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const inThread = (createdAt: number) => question({ conversation: "thread", createdAt });
  expect(await turns.latest("thread")).toBeUndefined();
  const [first, second] = [inThread(1), inThread(2)];
  await ended(turns, [second], { state: "stopped", text: "Bec" });
  await ended(turns, [first]);
  await ended(turns, [inThread(3)], { state: "failed", text: "", errorCode: "llm.unreachable" });
  await ended(turns, [question({ createdAt: 9 })]);
  await turns.insert(inThread(4), []);
  expect((await turns.latest("thread"))?.id).toBe(second.id);
});

test("a path has the turn itself and as many before it as the bounds allow, newest first", async () => {
  const anything = fc.record({
    tokens: fc.array(fc.nat(50), { minLength: 1, maxLength: 12 }),
    maxTokens: fc.nat(200),
    most: fc.integer({ min: 1, max: 14 }),
  });
  await using opened = await openTestStore();
  const { turns } = opened.store;
  await fc.assert(
    fc.asyncProperty(anything, async ({ tokens, maxTokens, most }) => {
      const rows = chain(tokens.length).map((row, at) => ({ ...row, tokens: tokens[at] ?? 0 }));
      for (const row of rows) await turns.insert(row, []);
      const newestFirst = rows.toReversed();
      let room = maxTokens;
      const expected = newestFirst.slice(0, most).filter((row, at) => {
        room -= row.tokens;
        return at === 0 || room >= 0;
      });
      const path = await turns.path(newestFirst[0]?.id ?? "", { maxTokens, most });
      expect(path).toMatchObject(expected);
      expect(path).toHaveLength(expected.length);
    }),
    { numRuns: 60 },
  );
});

test("whoever replies to the same turn has a path of their own", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const root = question();
  const [left, right] = [followUp(root), followUp(root)];
  await ended(turns, [root, left, right]);
  expect(ids(await turns.path(left.id, roomy))).toEqual([left.id, root.id]);
  expect(ids(await turns.path(right.id, roomy))).toEqual([right.id, root.id]);
  expect(await turns.path("erased", roomy)).toEqual([]);
});

test("images come back as they came, in the order of the turns that are asked for", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const [first, second, plain] = [question(), question(), question()];
  const image = (...bytes: number[]) => new Uint8Array(bytes);
  await turns.insert(first, [image(1, 0, 255), image(2)]);
  await turns.insert(second, [image(3)]);
  await turns.insert(plain, []);
  const found = await turns.images(ids([second, plain, first]));
  expect(found.map(({ turnId, bytes }) => [turnId, ...bytes])).toEqual([
    [second.id, 3],
    [first.id, 1, 0, 255],
    [first.id, 2],
  ]);
});

test("only who asked votes, and the vote is in the turn and in each of its attempts", async () => {
  await using opened = await openTestStore();
  const { turns, attempts } = opened.store;
  const row = question({ userId: "1" });
  await turns.insert(row, []);
  for (const turnId of [row.id, row.id, "another"]) await attempts.begin(attempt({ turnId }));
  expect(await turns.vote(row.id, "2", 1)).toBe(false);
  expect(await turns.vote("another", "1", 1)).toBe(false);
  expect(await turns.vote(row.id, "1", -1)).toBe(true);
  expect((await turns.find(row.id))?.vote).toBe(-1);
  const votes = (await attempts.list({ limit: 9 })).map(({ turnId, vote }) => [turnId === row.id, vote]);
  expect(votes).toEqual([
    [false, 0],
    [true, -1],
    [true, -1],
  ]);
});

test("a member's turns in a channel are cleared when they have ended, whichever conversation they belong to", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const here = { ...place, channelId: "7" };
  const [mine, more, running] = chain(3, { place: here });
  const others = [question({ place: here, userId: "2" }), question()];
  if (!mine || !more || !running) throw new Error("a chain of three");
  await ended(turns, [mine, more, question({ place: here }), ...others]);
  await turns.insert(running, []);
  expect(await turns.clear("7", "1")).toBe(3);
  expect(await turns.clear("7", "1")).toBe(0);
  expect(ids(await turns.path(running.id, roomy))).toEqual([running.id]);
  for (const { id } of others) expect(await turns.find(id)).toBeDefined();
});

test("however many turns there are, and however heavy their images, all of them are cleared", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  await ended(turns, chain(450));
  const heavy = chain(4);
  for (const row of heavy) {
    await turns.insert(row, [new Uint8Array(5e6)]);
    await turns.end(row.id, ending());
  }
  expect(await turns.clear(place.channelId, "1")).toBe(454);
  expect(await turns.images(ids(heavy))).toEqual([]);
});

test("everything of a member is read oldest first over many pages, also where many have the same time", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  const rows = Array.from({ length: 401 }, (_, at) => question({ createdAt: at < 300 ? 5 : 4 }));
  for (const row of rows) await turns.insert(row, []);
  await turns.insert(question({ userId: "2" }), []);
  const read = [];
  for await (const row of turns.of("1")) read.push(row);
  expect(read).toHaveLength(401);
  expect(new Set(ids(read))).toEqual(new Set(ids(rows)));
  expect(read.map(({ createdAt }) => createdAt)).toEqual([...Array(101).fill(4), ...Array(300).fill(5)]);
});

test("only ended turns are dropped, by age, at most as many as asked", async () => {
  await using opened = await openTestStore();
  const { turns } = opened.store;
  await turns.insert(question(), []);
  await ended(turns, [question(), question(), question()], { endedAt: 10 });
  expect(await turns.drop(10, 9)).toBe(0);
  expect(await turns.drop(11, 2)).toBe(2);
  expect(await turns.drop(11, 2)).toBe(1);
  expect(await turns.unfinished()).toHaveLength(1);
});
