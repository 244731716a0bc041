import { describe, expect, test } from "bun:test";
import { MessageFlags } from "discord.js";
import { WisError } from "../../errors.ts";
import { newCapability } from "../../lib/capability.ts";
import type { AnswerFacts } from "../../llm/llm.ts";
import type { TurnRow } from "../../llm/ports.ts";
import type { Invocation, ShownMessage } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const TEXT = "Because of Rayleigh scattering, mostly.";
const done = ({ buttons }: ShownMessage) => buttons.some(({ label }) => label !== "Stop");
const labels = ({ buttons }: ShownMessage) => buttons.map(({ label }) => label);
const pressed = ({ buttons }: ShownMessage) =>
  buttons.filter(({ style }) => style === "primary").map(({ label }) => label);

interface Given {
  text?: string;
  thinking?: string;
  facts?: Partial<AnswerFacts>;
  options?: Record<string, boolean>;
  /** Where and how ada asks. */
  from?: Pick<Invocation, "channel" | "own">;
}

/** An answer to ada that is done, and that the desk remembers. */
async function answered(t: TestBot, { text = TEXT, thinking = "", facts, options = {}, from }: Given = {}) {
  const command = { user: "ada", command: "wis llm", options: { prompt: "Why?", ...options }, ...from };
  const asked = t.discord.invoke(command);
  const answer = await t.llm.asked();
  answer.say(text);
  answer.done({ hasThinking: thinking !== "", ...facts });
  const message = await asked.waitFor(done);
  const turn: TurnRow = {
    id: answer.id,
    conversation: newCapability(),
    parentId: null,
    depth: 0,
    userId: t.discord.user("ada").id,
    userName: "ada",
    question: answer.question.prompt,
    documents: "",
    text,
    thinking,
    model: "llama3.2",
    state: "done",
    place: {
      guildId: null,
      channelId: message.channelId,
      messageId: message.id,
      applicationId: t.discord.applicationId,
      interactionToken: null,
      interactionAt: t.now(),
    },
    createdAt: t.now(),
    endedAt: t.now(),
    tokens: 0,
    errorCode: null,
    vote: 0,
  };
  t.llm.knows.turns.set(answer.id, turn);
  return { asked, answer, message, turn };
}

const fileOf = ({ attachments: [file] }: ShownMessage) => new TextDecoder().decode(file?.bytes);

describe("below an answer", () => {
  test("stands what it took, and what can be done with it", async () => {
    await using t = await openTestBot();
    const usage = { inputTokens: 1_000, outputTokens: 200, durationMs: 5_000 };
    const { message, answer } = await answered(t, { facts: { usage, context: 8_192, dropped: 3 } });
    expect(message.content).toEndWith(
      `${TEXT}\n-# llama3.2 · 1.2k of 8.2k tokens · 40 tokens a second · 3 earlier messages no longer fit`,
    );
    expect(labels(message)).toEqual(["👍", "👎", "Regenerate"]);
    expect(message.buttons.map(({ customId }) => customId)).toEqual([
      `llm:up:${answer.id}`,
      `llm:down:${answer.id}`,
      `llm:again:${answer.id}`,
    ]);
  });

  test("stands only what there is to do, five buttons in a row", async () => {
    await using t = await openTestBot();
    const text = `${"word ".repeat(300)}`;
    const { message } = await answered(t, { text, thinking: "Hm.", facts: { cutOff: true } });
    expect(labels(message)).toEqual(["👍", "👎", "Regenerate", "Continue", "Show thinking", "As a file"]);
  });
});

/** The message with the buttons, as soon as it is as wanted. */
const same = (t: TestBot, { id }: ShownMessage, wanted: (message: ShownMessage) => boolean) =>
  t.discord.waitForMessage((one) => one.id === id && wanted(one), { user: "ada" });

test("nobody is notified, and no card is made of a link, by any edit of an answer", async () => {
  await using t = await openTestBot();
  const text = `@everyone <@${t.discord.user("ben").id}> https://discord.gg/x ${"word ".repeat(20)}`;
  const { message } = await answered(t, { text });
  t.discord.press({ user: "ada", message, button: "👍" });
  const after = await same(t, message, (one) => pressed(one).length > 0);
  expect(after.pings).toEqual([]);
  expect(after.flags & MessageFlags.SuppressEmbeds).not.toBe(0);
});

describe("a vote", () => {
  test("counts, looks pressed, and is taken back by the next press", async () => {
    await using t = await openTestBot();
    const { message, turn } = await answered(t);
    for (const [button, vote, looks] of [
      ["👍", 1, ["👍"]],
      ["👎", -1, ["👎"]],
      ["👎", 0, []],
    ] as const) {
      t.discord.press({ user: "ada", message, button });
      const after = await same(t, message, (one) => Bun.deepEquals(pressed(one), [...looks]));
      expect(turn.vote).toBe(vote);
      expect(after).toMatchObject({ content: message.content, pings: [] });
      expect(labels(after)).toEqual(labels(message));
    }
  });

  test("leaves the file where it is", async () => {
    await using t = await openTestBot();
    const { message } = await answered(t, { text: "word ".repeat(2_500) });
    t.discord.press({ user: "ada", message, button: "👍" });
    const after = await same(t, message, (one) => pressed(one).length > 0);
    expect(fileOf(after)).toBe("word ".repeat(2_500));
  });

  test("is its asker's alone", async () => {
    await using t = await openTestBot();
    const { message, turn } = await answered(t);
    const press = t.discord.press({ user: "ben", message, button: "👍" });
    const reply = await press.waitFor(({ content }) => content.includes("Only the person who asked"));
    expect(reply.ephemeral).toBe(true);
    expect(turn.vote).toBe(0);
  });
});

describe("another answer", () => {
  for (const button of ["Regenerate", "Continue"])
    test(`stands below after ${button}, and the first one stays`, async () => {
      await using t = await openTestBot();
      const { message, asked } = await answered(t, { facts: { cutOff: true } });
      const press = t.discord.press({ user: "ada", message, button });
      const next = await t.llm.asked();
      next.say("Or because of something else altogether.");
      next.done();
      const below = await press.waitFor(({ content }) => content.includes("something else altogether.\n"));
      expect(below.id).not.toBe(message.id);
      expect(below.content).toStartWith("> Why?\n");
      expect(labels(below)).toEqual(["👍", "👎", "Regenerate"]);
      expect(asked.message()?.content).toBe(message.content);
      expect(next.shownIn).toEqual([below.id]);
    });

  test("can be stopped", async () => {
    await using t = await openTestBot();
    const { message } = await answered(t);
    const press = t.discord.press({ user: "ada", message, button: "Regenerate" });
    const below = await press.waitFor((one) => labels(one).includes("Stop"));
    t.discord.press({ user: "ada", message: below, button: "Stop" });
    const after = await same(t, below, ({ content }) => content.includes("Stopped"));
    expect(labels(after)).toEqual(["Regenerate"]);
  });

  test("to a private one is private as well", async () => {
    await using t = await openTestBot();
    const { message } = await answered(t, { options: { private: true } });
    expect(message.ephemeral).toBe(true);
    const press = t.discord.press({ user: "ada", message, button: "Regenerate" });
    (await t.llm.asked()).done();
    const below = await press.waitFor(({ content }) => content.includes("empty answer"));
    expect(below.ephemeral).toBe(true);
  });

  test("is refused to the presser alone, and nothing else is shown", async () => {
    await using t = await openTestBot();
    const { message } = await answered(t);
    t.llm.refuse(new WisError("llm.queue_full", { say: "The queue is full." }));
    const press = t.discord.press({ user: "ada", message, button: "Regenerate" });
    const reply = await press.waitFor(({ content }) => content.includes("The queue is full."));
    expect(reply.ephemeral).toBe(true);
    expect(t.discord.messages()).toHaveLength(1);
  });
});

describe("what the model thought", () => {
  test("is shown to whoever asks for it, alone", async () => {
    await using t = await openTestBot();
    const { message } = await answered(t, { thinking: "Hm. [Light](https://evil.example) is blue?" });
    const press = t.discord.press({ user: "ben", message, button: "Show thinking" });
    const reply = await press.waitFor(({ content }) => content.includes("Hm."));
    expect(reply).toMatchObject({ content: "Hm. [Light] (https://evil.example) is blue?", ephemeral: true });
    expect(reply.flags & MessageFlags.SuppressEmbeds).not.toBe(0);
  });

  for (const [what, thinking] of [
    ["long", "Hm. ".repeat(600)],
    ["nothing that Discord shows", "```\n```"],
  ] as const) {
    test(`is a file where it is ${what}`, async () => {
      await using t = await openTestBot();
      const { message } = await answered(t, { thinking });
      const press = t.discord.press({ user: "ada", message, button: "Show thinking" });
      const reply = await press.waitFor(({ ephemeral }) => ephemeral);
      expect([reply.attachments[0]?.name, fileOf(reply)]).toEqual(["thinking.md", thinking]);
    });
  }
});

test("an answer comes as a file, as it was written", async () => {
  await using t = await openTestBot();
  const text = "Look:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
  const { message } = await answered(t, { text });
  expect(message.content).toContain("```\n| a | b |\n| - | - |\n| 1 | 2 |\n```");
  const press = t.discord.press({ user: "ben", message, button: "As a file" });
  const reply = await press.waitFor(({ attachments }) => attachments.length > 0);
  expect(reply.ephemeral).toBe(true);
  expect([reply.attachments[0]?.name, fileOf(reply)]).toEqual(["answer.md", text]);
});

describe("an answer as a web link", () => {
  const text = "Look:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";

  /** The message with the file, for whoever pressed. */
  async function asFile(t: TestBot, user: string, given: Given = {}) {
    const { message, turn } = await answered(t, { text, ...given });
    const press = t.discord.press({ user, message, button: "As a file" });
    return { message: await press.waitFor(({ attachments }) => attachments.length > 0), turn };
  }

  for (const [where, from] of [
    ["on a server", {}],
    ["in direct messages", { channel: "dm" }],
    ["where the bot is not", { channel: "private", own: true }],
  ] as const) {
    test(`${where} is a share of whoever presses, told to them alone`, async () => {
      await using t = await openTestBot();
      const { message } = await asFile(t, "ada", { from });
      const press = t.discord.press({ user: "ada", message, button: "As a web link" });
      const card = await press.waitFor(({ embeds }) => embeds.length > 0);
      const [file] = await t.desk.files.page(t.discord.user("ada").id, { limit: 10 });
      if (!file) throw new Error("nothing was stored");
      expect([file.name, await (await t.desk.files.open(file)).text()]).toEqual(["answer.md", text]);
      expect(card.ephemeral).toBe(true);
      expect(card.buttons).toMatchObject([
        { label: "Open", url: file.url },
        { label: "Extend" },
        { label: "Delete" },
      ]);
      expect(card.embeds[0]?.fields).toContainEqual(
        expect.objectContaining({ name: "Expires", value: `<t:${Math.floor(file.expiresAt / 1000)}:R>` }),
      );
      expect(t.desk.wakes()).toBe(0);
    });
  }

  test("counts against the quota of whoever presses, and can be pressed again when there is room", async () => {
    await using t = await openTestBot({ files: () => ({ max_files_per_user: 1 }) });
    const { files } = t.desk;
    const ben = t.discord.user("ben").id;
    const { fileId } = await files.issue({ ownerId: ben });
    const { message } = await asFile(t, "ben");
    const press = () => t.discord.press({ user: "ben", message, button: "As a web link" });
    const refusal = await press().waitFor(({ content }) => content.includes("more than the 1 file"));
    expect(refusal.ephemeral).toBe(true);
    await files.remove(fileId, "admin");
    await press().waitFor(({ embeds }) => embeds.length > 0);
    expect(await files.page(ben, { limit: 10 })).toHaveLength(1);
  });

  test("is made once: the button goes, the file stays", async () => {
    await using t = await openTestBot();
    const { message } = await asFile(t, "ben");
    t.discord.press({ user: "ben", message, button: "As a web link" });
    const after = await t.discord.waitForMessage(
      ({ id, buttons }) => id === message.id && buttons.length === 0,
      { user: "ben" },
    );
    expect(fileOf(after)).toBe(text);
  });

  test("stores nothing of an answer that is no longer known", async () => {
    await using t = await openTestBot();
    const { message, turn } = await asFile(t, "ben");
    t.llm.knows.turns.delete(turn.id);
    const press = t.discord.press({ user: "ben", message, button: "As a web link" });
    await press.waitFor(({ content }) => content.includes("no longer known"));
    expect(await Array.fromAsync(t.desk.files.list({}))).toEqual([]);
  });
});

test("nested fences and a table of 60 rows arrive whole", async () => {
  await using t = await openTestBot();
  const rows = Array.from({ length: 60 }, (_, index) => `| row ${index} | ${"x".repeat(20)} |\n`);
  const nested = "````md\n```js\nlet x;\n```\n````\n~~~\ny\n~~~\n";
  const text = `${nested}\n| a | b |\n|---|---|\n${rows.join("")}`;
  const { message } = await answered(t, { text });
  expect(fileOf(message)).toBe(text);
  const press = t.discord.press({ user: "ben", message, button: "As a web link" });
  await press.waitFor(({ embeds, ephemeral }) => embeds.length > 0 && ephemeral);
  expect(await t.desk.files.page(t.discord.user("ben").id, { limit: 10 })).toHaveLength(1);
  const still = t.discord.messages().find(({ id }) => id === message.id);
  expect(still && labels(still)).toEqual(labels(message));
});

test("of an answer that is no longer known nothing can be done, and the presser alone is told so", async () => {
  await using t = await openTestBot();
  const { message, turn } = await answered(t, {
    thinking: "Hm.",
    text: "word ".repeat(300),
    facts: { cutOff: true },
  });
  t.llm.knows.turns.delete(turn.id);
  for (const button of labels(message)) {
    const press = t.discord.press({ user: "ada", message, button });
    const reply = await press.waitFor(({ content }) => content.includes("no longer known"));
    expect(reply.ephemeral).toBe(true);
  }
});
