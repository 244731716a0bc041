import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { member, openTestLlm, place, read, type TestLlm, type TestLlmOptions } from "../testing/llm-desk.ts";
import type { Question } from "./llm.ts";

// What happens between a question and its place in the queue: nothing is fetched or made for one that is refused.

const image = { name: "sky.png", contentType: "image/png", bytes: new Uint8Array([1]) };

/** A question that says what it was called upon to do. */
function watched(userId = "ann", more: Partial<Question> = {}) {
  const done: string[] = [];
  const question: Question = {
    member: member(userId),
    prompt: "Hi",
    where: place,
    async attachments() {
      done.push("fetched");
      return [];
    },
    async spot() {
      done.push("place made");
      return { place, talk: { kind: "chain" } };
    },
    ...more,
  };
  return { question, done };
}

/** A question whose files never arrive; `fetching` resolves once they are fetched. */
function stalled(userId: string) {
  const fetching = Promise.withResolvers<void>();
  const attachments: Question["attachments"] = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      fetching.resolve();
    });
  return { ...watched(userId, { attachments }), fetching: fetching.promise };
}

const refusalOf = (asking: Promise<unknown>) => asking.catch((error: unknown) => error);

const used = async ({ llm }: TestLlm, userId: string) => (await llm.allowed(member(userId))).used.requests;

test("a question is counted first, then its files are fetched, then its place is made", async () => {
  await using stage = await openTestLlm();
  const { question, done } = watched();
  await read(await stage.llm.ask(question));
  expect(done).toEqual(["fetched", "place made"]);
});

const refusals: {
  what: string;
  code: string;
  before: (stage: TestLlm) => Promise<unknown>;
  options?: TestLlmOptions;
  asked?: Partial<Question>;
}[] = [
  {
    what: "over the rate",
    code: "rate_limited",
    options: { perMinute: 1 },
    before: (stage) => stage.ask("ann").then(read),
  },
  {
    what: "over the quota",
    code: "quota.llm",
    options: { limits: { requests: 1 } },
    before: (stage) => stage.ask("ann").then(read),
  },
  {
    what: "in a server where answers are off",
    code: "llm.off",
    before: ({ llm }) =>
      llm.setPlace({ by: member("mod", true), where: place, scope: "server", change: { off: true } }),
  },
  {
    what: "to a model that no host has",
    code: "llm.model_missing",
    before: ({ pool }) => pool.look(),
    asked: { model: "gone" },
  },
];

for (const { what, code, before, options, asked } of refusals) {
  test(`nothing is fetched for a question ${what}`, async () => {
    await using stage = await openTestLlm(options);
    await before(stage);
    const counted = await used(stage, "ann");
    const { question, done } = watched("ann", asked);
    await expect(stage.llm.ask(question)).rejects.toMatchObject({ code });
    expect(done).toEqual([]);
    expect(await used(stage, "ann")).toBe(counted);
  });
}

test("no place is made where the queue is full, nor for a file that can't be read", async () => {
  await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }], maxQueue: 1 });
  const unreadable = watched("ann", { attachments: async () => [image] });
  await expect(stage.llm.ask(unreadable.question)).rejects.toMatchObject({ code: "attachment.unreadable" });
  expect(unreadable.done).toEqual([]);
  for (const user of ["ann", "bob"]) await stage.ask(user);
  const late = watched("cid");
  await expect(stage.llm.ask(late.question)).rejects.toMatchObject({ code: "llm.queue_full" });
  expect(late.done).toEqual([]);
});

test("of many that ask at once, no more get a place than the queue has room for", async () => {
  await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }], maxQueue: 1 });
  const asked = ["ann", "bob", "cid", "dan"].map((user) => watched(user));
  const outcomes = await Promise.allSettled(asked.map(({ question }) => stage.llm.ask(question)));
  const taken = outcomes.map(({ status }) => status === "fulfilled");
  expect(taken.filter(Boolean)).toHaveLength(2);
  expect(asked.map(({ done }) => done.includes("place made"))).toEqual(taken);
});

test("a question is refused whose model server went away while its files were fetched", async () => {
  await using stage = await openTestLlm();
  const away = new WisError("llm.unreachable", { say: "Away." });
  const { question } = watched("ann", {
    async attachments() {
      for (let failure = 0; failure < 3; failure++) stage.pool.failed("local", away);
      return [];
    },
  });
  await expect(stage.llm.ask(question)).rejects.toMatchObject({ code: "llm.unreachable" });
  expect(await used(stage, "ann")).toBe(0);
});

test("a place that can't be made refuses the question and gives it back", async () => {
  await using stage = await openTestLlm();
  const lost = new WisError("discord.failed", { say: "No thread." });
  const { question } = watched("ann", { spot: () => Promise.reject(lost) });
  await expect(stage.llm.ask(question)).rejects.toBe(lost);
  expect(await used(stage, "ann")).toBe(0);
});

test("whoever is forgotten takes along what they were just asking", async () => {
  await using stage = await openTestLlm();
  const { question, done, fetching } = stalled("ann");
  const refusal = refusalOf(stage.llm.ask(question));
  await fetching;
  await stage.llm.forget("ann");
  expect(await refusal).toMatchObject({ code: "llm.stopped" });
  expect(done).toEqual([]);
  expect(await stage.turns.unfinished()).toEqual([]);
});

test("the end of the process does not wait for files that never arrive", async () => {
  await using stage = await openTestLlm();
  const { question, fetching } = stalled("ann");
  const refusal = refusalOf(stage.llm.ask(question));
  await fetching;
  stage.llm.interruptAll();
  await stage.llm.idle();
  expect(await refusal).toMatchObject({ code: "shutting_down" });
});
