import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord.js";
import { WisError } from "../errors.ts";
import type { Invocation, ShownMessage } from "../testing/discord/index.ts";
import { openTestBot, type TestBot, type TestBotOptions } from "../testing/test-bot.ts";

const TEXT = "Because of Rayleigh scattering, mostly.";
const FOLLOW_UP = "POST /webhooks/{webhook_id}/{webhook_token}";
/** The edits that go by channel and message id. */
const EDIT = "PATCH /channels/{channel_id}/messages/{message_id}";
const MENU = "Ask WisBot about this";

const has = (text: string) => (message: ShownMessage) => message.content.includes(text);
const ended = ({ buttons }: ShownMessage) => buttons.some(({ label }) => label === "Regenerate");
const place = { model: null, off: false, threads: false, freeResponse: false };

function ask(t: TestBot, options: Invocation["options"] = {}, where: Partial<Invocation> = {}) {
  return t.discord.invoke({ command: "wis llm", options: { prompt: "Why?", ...options }, ...where });
}

describe("a question with a file", () => {
  const file = { name: "notes.txt", bytes: Buffer.from("E = mc²"), contentType: "text/plain" };

  test("says at once that it is being read, and is asked with it", async () => {
    await using t = await openTestBot();
    const asked = ask(t, { file });
    const answer = await t.llm.asked();
    const bytes = new Uint8Array(file.bytes);
    expect(answer.question.attachments).toEqual([{ name: "notes.txt", contentType: "text/plain", bytes }]);
    answer.say(TEXT);
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.history[0]?.content).toBe("> Why?\n-# Reading notes.txt…");
    expect(reply.content).toStartWith(`> Why?\n${TEXT}`);
  });

  test("has its name shown as it is, and so has its model, whatever Markdown they hold", async () => {
    await using t = await openTestBot();
    const asked = ask(t, {
      model: "[b](http://evil.test)",
      file: { ...file, name: "[a](http://evil.test)" },
    });
    (await t.llm.asked()).done();
    const { history } = await asked.waitFor(ended);
    expect(history.map(({ content }) => content).slice(0, 2)).toEqual([
      "> Why?\n-# Reading \\[a](http://evil.test)…",
      "> Why?\n-# Asking \\[b](http://evil.test)…",
    ]);
  });

  const troubles = [
    ["is larger than 10 MB", { size: 10_000_001 }, "larger than the 10 MB"],
    ["lies elsewhere", { url: "http://127.0.0.1:1/notes.txt" }, "could not be fetched"],
    ["is larger than Discord says", { size: 3 }, "could not be fetched"],
    ["breaks off", { trouble: { kind: "cut", after: 3 } as const }, "could not be fetched"],
  ] as const;
  for (const [what, trouble, words] of troubles) {
    test(`that ${what} is not asked, and says why`, async () => {
      await using t = await openTestBot();
      const asked = ask(t, { file: { ...file, ...trouble } });
      const reply = await asked.waitFor(has(words));
      expect(reply.content).toStartWith('⚠️ "notes.txt"');
      t.llm.refuse(new WisError("llm.off", { say: "Nobody may ask any more." }));
    });
  }
});

describe("a private question", () => {
  test("is answered to its asker alone, however long the answer is", async () => {
    await using t = await openTestBot();
    const asked = ask(t, { private: true });
    const answer = await t.llm.asked();
    answer.say("word ".repeat(600));
    answer.done();
    await t.bot.drain();
    expect(asked.messages().map(({ ephemeral }) => ephemeral)).toEqual([true, true]);
  });

  test("can't be asked in a thread", async () => {
    await using t = await openTestBot();
    const reply = await ask(t, { private: true, thread: true }).waitFor(() => true);
    expect(reply.ephemeral).toBe(true);
    expect(reply.content).toContain("a private answer can't be in one");
  });

  test("in a thread that the bot opened stays out of what is said there", async () => {
    await using t = await openTestBot();
    ask(t, { thread: true });
    const first = await t.llm.asked();
    first.done();
    ask(t, { private: true }, { channel: first.question.place.channelId });
    const answer = await t.llm.asked();
    answer.done();
    expect(answer.question.talk).toEqual({ kind: "chain" });
  });

  test("ends with what is there before Discord closes the reply, and says so", async () => {
    await using t = await openTestBot();
    const asked = ask(t, { private: true });
    const answer = await t.llm.asked();
    answer.say(TEXT);
    await asked.waitFor(has(TEXT));
    t.later(14 * 60_000);
    const reply = await asked.waitFor(ended);
    expect(reply.content).toContain(`${TEXT}\n-# ⏹ Discord keeps a reply like this open for 15 minutes`);
    expect(t.discord.requestsTo(EDIT)).toEqual([]);
  });
});

describe("a thread", () => {
  test("is opened below the reply, and has question and answer", async () => {
    await using t = await openTestBot();
    const asked = ask(t, { thread: true });
    const answer = await t.llm.asked();
    const top = asked.message();
    const threadId = top?.id ?? "";
    // Nothing that waits for the disk comes before it.
    expect(top?.history[0]?.content).toBe("> Why?\n-# Asking…");
    expect(top?.content).toBe("> Why?\n-# The answer is in the thread below.");
    const where = { channelId: t.discord.channel("general").id };
    expect(answer.question).toMatchObject({
      talk: { kind: "channel", channelId: threadId },
      place: { channelId: threadId, interactionToken: null },
      where,
    });
    answer.say(TEXT);
    answer.done();
    const reply = await t.discord.waitForMessage(ended, { channel: threadId });
    expect(reply.content).toStartWith(`> Why?\n${TEXT}`);
  });

  test("that the bot opened is one conversation; elsewhere every command begins one", async () => {
    await using t = await openTestBot();
    ask(t, { thread: true });
    const first = await t.llm.asked();
    const { channelId } = first.question.place;
    first.done();
    ask(t, {}, { channel: channelId });
    const inside = await t.llm.asked();
    expect(inside.question).toMatchObject({
      talk: { kind: "channel", channelId },
      where: { parentChannelId: t.discord.channel("general").id },
    });
    inside.done();
    ask(t);
    const outside = await t.llm.asked();
    expect(outside.question.talk).toEqual({ kind: "chain" });
    outside.done();
  });

  test("is opened for every question where a moderator had it so, but for private ones", async () => {
    await using t = await openTestBot();
    const { id: placeId, guildId } = t.discord.channel("general");
    t.llm.knows.places.set(placeId, { ...place, placeId, guildId: guildId ?? "", threads: true });
    const asked = ask(t);
    const answer = await t.llm.asked();
    expect(answer.question.place.channelId).toBe(asked.message()?.id ?? "");
    answer.done();
    ask(t, { private: true });
    const alone = await t.llm.asked();
    expect(alone.question.place.channelId).toBe(placeId);
    alone.done();
  });

  test("that Discord does not allow leaves the answer in the channel, and says so", async () => {
    await using t = await openTestBot();
    t.discord.deny("general", PermissionFlagsBits.CreatePublicThreads);
    const asked = ask(t, { thread: true });
    const answer = await t.llm.asked();
    expect(answer.question.talk).toEqual({ kind: "chain" });
    answer.say(TEXT);
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.content).toStartWith(`> Why?\n${TEXT}`);
    const [, remark] = asked.messages();
    expect(remark?.content).toContain("does not let me open a thread here");
    expect(remark?.ephemeral).toBe(true);
  });
});

test("in direct messages to the bot all questions are one conversation", async () => {
  await using t = await openTestBot();
  ask(t, {}, { channel: "dm" });
  const answer = await t.llm.asked();
  const { id: channelId } = t.discord.directMessage("ada");
  expect(answer.question.talk).toEqual({ kind: "channel", channelId });
  answer.done();
});

describe("the model", () => {
  const model = (name: string) => ({
    name,
    size: 0,
    capabilities: undefined,
    context: undefined,
    hosts: ["local"],
    warm: false,
  });

  test("is the one that was typed", async () => {
    await using t = await openTestBot();
    const asked = ask(t, { model: "qwen3:8b" });
    const answer = await t.llm.asked();
    expect(answer.question.model).toBe("qwen3:8b");
    await asked.waitFor(has("Asking qwen3:8b…"));
    answer.done();
  });

  test("is offered while it is typed: those that begin so first, 25 at most", async () => {
    await using t = await openTestBot();
    const many = Array.from({ length: 30 }, (_, index) => model(`gemma3:${index}b`));
    t.llm.knows.models = [model("llama3.2"), model("my-Gemma"), ...many];
    const offered = await t.discord.type({ command: "wis llm", option: "model", text: "gemma" });
    expect(offered).toHaveLength(25);
    expect(offered[0]).toEqual({ name: "gemma3:0b", value: "gemma3:0b" });
    const [found] = await t.discord.type({ command: "wis llm", option: "model", text: "my" });
    expect(found?.value).toBe("my-Gemma");
  });
});

describe("asking about a message", () => {
  test("asks with its text and files, and answers for everybody", async () => {
    await using t = await openTestBot();
    const files = [{ name: "proof.txt", bytes: Buffer.from("QED"), contentType: "text/plain" }];
    const message = t.discord.say({ user: "ben", content: "E = mc²\nEinstein", files });
    const asked = t.discord.choose({ user: "ada", message, command: MENU });
    const answer = await t.llm.asked();
    expect(answer.question.prompt).toStartWith("Ben wrote:\n> E = mc²\n> Einstein\n\n");
    expect(answer.question.attachments).toMatchObject([{ name: "proof.txt" }]);
    expect(answer.question.talk).toEqual({ kind: "chain" });
    answer.say(TEXT);
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.ephemeral).toBe(false);
    expect(reply.content).toStartWith(`> Ben: E = mc² Einstein\n${TEXT}`);
  });
});

describe("where the bot is not, for who installed it for themselves", () => {
  const elsewhere: TestBotOptions["discord"] = {
    guilds: [
      { name: "Wis Lab", channels: [{ name: "general" }] },
      { name: "Elsewhere", hasBot: false, channels: [{ name: "lobby" }] },
    ],
  };

  for (const channel of ["lobby", "private"]) {
    test(`an answer goes by its interaction alone, in ${channel}`, async () => {
      await using t = await openTestBot({ discord: elsewhere });
      const asked = ask(t, { thread: true }, { channel });
      const answer = await t.llm.asked();
      expect(answer.question.talk).toEqual({ kind: "chain" });
      answer.say("word ".repeat(600));
      await t.discord.request(FOLLOW_UP, { count: 2 });
      t.later(14 * 60_000);
      await asked.waitFor(has("15 minutes"));
      await t.bot.drain();
      const byBot = t.discord.requests.filter(({ route }) => route.includes("/channels/"));
      expect(byBot).toEqual([]);
      expect(t.lines().filter(({ level }) => level === "error")).toEqual([]);
    });
  }

  test("a message there can be asked about", async () => {
    await using t = await openTestBot({ discord: elsewhere });
    const message = t.discord.say({ user: "ben", channel: "lobby", content: "E = mc²" });
    const asked = t.discord.choose({ user: "ada", message, command: MENU });
    const answer = await t.llm.asked();
    expect(answer.question.prompt).toStartWith("Ben wrote:\n> E = mc²");
    answer.say(TEXT);
    answer.done();
    await asked.waitFor(ended);
  });
});
