import { describe, expect, test } from "bun:test";
import { GatewayIntentBits, PermissionFlagsBits } from "discord.js";
import { WisError } from "../errors.ts";
import type { ShownMessage } from "../testing/discord/index.ts";
import { openTestBot, type TestBot, type TestBotOptions } from "../testing/test-bot.ts";

const SEND = "POST /channels/{channel_id}/messages";
const EDIT = "PATCH /channels/{channel_id}/messages/{message_id}";
const TYPING = "POST /channels/{channel_id}/typing";
const TEXT = "Because of Rayleigh scattering, mostly.";

const readingAll: TestBotOptions = {
  config: { discord: { message_content: true } },
  discord: { privilegedIntents: GatewayIntentBits.MessageContent },
};

const me = ({ discord }: TestBot) => `<@${discord.applicationId}>`;
const has = (text: string) => (message: ShownMessage) => message.content.includes(text);
const errors = (t: TestBot) => t.lines().filter(({ level }) => level === "error");
const place = { model: null, off: false, threads: false, freeResponse: false };

/** Sets what a moderator has chosen for #general. */
function choose({ discord, llm }: TestBot, change: Partial<typeof place>): void {
  const { id: placeId, guildId } = discord.channel("general");
  llm.knows.places.set(placeId, { ...place, placeId, guildId: guildId ?? "", ...change });
}

/** Mentions the bot; gives what was written, how it is answered, and the bot's message. */
async function mention(t: TestBot, content = "Why is the sky blue?", more: { channel?: string } = {}) {
  const said = t.discord.say({ ...more, content: `${me(t)} ${content}` });
  const answer = await t.llm.asked();
  const shown = await t.discord.waitForMessage(has("Asking llama3.2…"), more);
  return { said, answer, shown };
}

async function finish(t: TestBot, answer: Awaited<ReturnType<TestBot["llm"]["asked"]>>) {
  answer.say(TEXT);
  answer.done();
  return t.discord.waitForMessage(
    ({ content, history }) => has(TEXT)({ content } as ShownMessage) && history.length > 1,
    {
      channel: answer.question.place.channelId,
    },
  );
}

describe("a message that mentions the bot", () => {
  test("is answered in a reply that notifies nobody, and quotes nothing", async () => {
    await using t = await openTestBot();
    const { said, answer } = await mention(t, "Why is the sky blue?");
    const { id: channelId, guildId } = t.discord.channel("general");
    expect(answer.question).toMatchObject({
      prompt: "Why is the sky blue?",
      talk: { kind: "chain", replyTo: undefined },
      member: { id: t.discord.user("ada").id, name: "Ada", asker: { guildId, roleIds: [] } },
      place: { guildId, channelId, interactionToken: null },
      attachments: [],
    });
    const reply = await finish(t, answer);
    expect(reply.content).toStartWith(TEXT);
    expect(reply.pings).toEqual([]);
    expect(answer.shownIn).toEqual([reply.id]);
    const [sent] = t.discord.requestsTo(SEND);
    expect(sent?.body).toMatchObject({
      message_reference: { message_id: said.id, fail_if_not_exists: false },
      allowed_mentions: { parse: [], replied_user: false },
    });
  });

  test("shows that the bot is typing while there is nothing to show", async () => {
    await using t = await openTestBot();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { ask } = t.llm;
    t.llm.ask = (question) => promise.then(() => ask(question));
    t.discord.say({ content: `${me(t)} Why?` });
    await t.discord.request(TYPING, { count: 2 });
    resolve();
    await finish(t, await t.llm.asked());
  });

  test("anywhere in it, with people by their names", async () => {
    await using t = await openTestBot();
    const ben = t.discord.user("ben");
    t.discord.say({ content: `What would <@${ben.id}> say, ${me(t)}?` });
    const answer = await t.llm.asked();
    expect(answer.question.prompt).toBe("What would @Ben say, ?");
    answer.done();
  });

  test("and nothing else gets a word of help", async () => {
    await using t = await openTestBot();
    t.discord.say({ content: me(t) });
    const help = await t.discord.waitForMessage(has("Mention me with a question"));
    expect(help.buttons).toEqual([]);
    await t.bot.drain();
    expect(errors(t)).toEqual([]);
  });

  test("brings its attachments along", async () => {
    await using t = await openTestBot();
    const files = [1, 2].map((n) => ({
      name: `${n}.txt`,
      bytes: Buffer.from(`file ${n}`),
      contentType: "text/plain",
    }));
    t.discord.say({ content: me(t), files });
    const answer = await t.llm.asked();
    expect(answer.question.attachments).toEqual(
      files.map((file) => ({ ...file, bytes: new Uint8Array(file.bytes) })),
    );
    expect(answer.question.prompt).not.toBe("");
    answer.done();
  });

  test("says which attachment is too large, and fetches nothing", async () => {
    await using t = await openTestBot({ before: ({ discord }) => discord.setFileLimit("Wis Lab", 20e6) });
    const files = [{ name: "film.mp4", bytes: new Uint8Array(10_000_001) }];
    t.discord.say({ content: `${me(t)} What is this?`, files });
    const reply = await t.discord.waitForMessage(has("film.mp4"));
    expect(reply.content).toMatch(/larger than the 10 MB.*\n.*\n-# Error id `[0-9a-f]{32}`/);
    expect(t.discord.downloads).toEqual([]);
  });

  test("as a reply to somebody is about what that one wrote", async () => {
    await using t = await openTestBot(readingAll);
    const said = t.discord.say({ user: "ben", content: "E = mc²\nEinstein" });
    t.discord.say({ content: `${me(t)} Is that right?`, replyTo: said });
    const answer = await t.llm.asked();
    expect(answer.question.prompt).toBe("Ben wrote:\n> E = mc²\n> Einstein\n\nIs that right?");
    expect(answer.question.talk).toEqual({ kind: "chain", replyTo: undefined });
    answer.done();
  });
});

describe("who needs not mention the bot", () => {
  test("replies to its answer: the conversation goes on there", async () => {
    await using t = await openTestBot();
    const { answer } = await mention(t);
    const reply = await finish(t, answer);
    t.discord.say({ user: "ben", content: "And at night?", replyTo: reply });
    const next = await t.llm.asked();
    expect(next.question).toMatchObject({
      prompt: "And at night?",
      talk: { kind: "chain", replyTo: reply.id },
    });
    next.done();
  });

  test("writes it a direct message: all of them are one conversation", async () => {
    await using t = await openTestBot();
    const { id: channelId } = t.discord.directMessage("ada");
    t.discord.say({ user: "ada", channel: "dm", content: "Hello" });
    const answer = await t.llm.asked();
    expect(answer.question).toMatchObject({
      prompt: "Hello",
      talk: { kind: "channel", channelId },
      place: { guildId: null, channelId },
    });
    await finish(t, answer);
  });

  test("writes in a thread that it opened, as far as it can read that", async () => {
    await using t = await openTestBot();
    choose(t, { threads: true });
    const { answer } = await mentionInThread(t);
    const { channelId } = answer.question.place;
    await finish(t, answer);
    t.discord.say({ channel: channelId, content: "Unreadable without the intent" });
    t.discord.say({ channel: channelId, content: `${me(t)} And at night?` });
    const next = await t.llm.asked();
    expect(next.question).toMatchObject({
      prompt: "And at night?",
      talk: { kind: "channel", channelId },
      where: { parentChannelId: t.discord.channel("general").id },
    });
    next.done();
  });

  test("writes there or where every message is a question, with the intent to read them", async () => {
    await using t = await openTestBot(readingAll);
    t.discord.say({ content: "Not a question" });
    const { answer: first } = await mention(t);
    await finish(t, first);
    choose(t, { freeResponse: true });
    t.discord.say({ content: "Why?" });
    const answer = await t.llm.asked();
    expect(answer.question).toMatchObject({ prompt: "Why?", talk: { kind: "chain" } });
    answer.done();
    choose(t, { threads: true });
    const { answer: inThread } = await mentionInThread(t);
    const { channelId } = inThread.question.place;
    inThread.done();
    t.discord.say({ channel: channelId, content: "And at night?" });
    const next = await t.llm.asked();
    expect(next.question.talk).toEqual({ kind: "channel", channelId });
    next.done();
  });

  test("writes where every message is a question, in a server that takes none: no message is refused", async () => {
    await using t = await openTestBot(readingAll);
    choose(t, { freeResponse: true });
    const guildId = t.discord.channel("general").guildId ?? "";
    t.llm.knows.places.set(guildId, { ...place, placeId: guildId, guildId, off: true });
    t.llm.refuse(new WisError("llm.off", { say: "A moderator has switched answers off." }));
    t.discord.say({ content: "Not a question" });
    t.discord.say({ content: `${me(t)} Why?` });
    await t.discord.waitForMessage(has("switched answers off"));
    await t.bot.drain();
    expect(t.discord.requestsTo(SEND)).toHaveLength(1);
  });
});

async function mentionInThread(t: TestBot) {
  const said = t.discord.say({ content: `${me(t)} Why is the sky blue?` });
  const answer = await t.llm.asked();
  const shown = await t.discord.waitForMessage(has("Asking"), { channel: answer.question.place.channelId });
  return { said, answer, shown };
}

describe("where every question gets a thread", () => {
  test("it is opened under the question, and the answer is in it", async () => {
    await using t = await openTestBot();
    choose(t, { threads: true });
    const { said, answer } = await mentionInThread(t);
    expect(answer.question).toMatchObject({
      talk: { kind: "channel", channelId: said.id },
      place: { channelId: said.id },
      where: { channelId: said.channelId },
    });
    expect(t.discord.channel(said.id)).toMatchObject({
      name: "Why is the sky blue?",
      thread: { parentId: said.channelId },
    });
    const reply = await finish(t, answer);
    expect(reply.channelId).toBe(said.id);
    expect(t.discord.messages({ channel: "general" })).toHaveLength(1);
  });

  test("a conversation that began in the channel stays there", async () => {
    await using t = await openTestBot();
    const { answer } = await mention(t);
    const reply = await finish(t, answer);
    choose(t, { threads: true });
    t.discord.say({ user: "ben", content: "And at night?", replyTo: reply });
    const next = await t.llm.asked();
    expect(next.question.place.channelId).toBe(reply.channelId);
    next.done();
  });

  test("and Discord does not allow it, the answer is in the channel and says so", async () => {
    await using t = await openTestBot();
    choose(t, { threads: true });
    t.discord.deny("general", PermissionFlagsBits.CreatePublicThreads);
    const { said, answer } = await mention(t);
    expect(answer.question.place.channelId).toBe(said.channelId);
    await t.discord.waitForMessage(has("does not let me open a thread here"));
    const reply = await finish(t, answer);
    expect(reply.channelId).toBe(said.channelId);
  });
});

describe("a question that its author", () => {
  test("changes while it is answered is answered anew, in the same message", async () => {
    await using t = await openTestBot();
    const { said, answer, shown } = await mention(t);
    answer.say(`${TEXT} `.repeat(80));
    await t.discord.request(SEND, { count: 2 });
    t.discord.reword(said, `${me(t)} Why is the sea blue?`);
    const next = await t.llm.asked();
    expect(next.question.prompt).toBe("Why is the sea blue?");
    const reply = await finish(t, next);
    expect(reply.id).toBe(shown.id);
    await t.bot.drain();
    expect(next.shownIn).toEqual([shown.id]);
    expect(t.discord.messages().filter(({ authorId }) => authorId === t.discord.applicationId)).toHaveLength(
      1,
    );
  });

  test("leaves as it is, when only Discord adds to it, is answered once", async () => {
    await using t = await openTestBot();
    const { said, answer } = await mention(t);
    t.discord.reword(said, said.content);
    await finish(t, answer);
    await t.bot.drain();
    expect(t.discord.requestsTo(SEND)).toHaveLength(1);
  });

  test("deletes while it is answered takes the answer with it", async () => {
    await using t = await openTestBot();
    const { said, answer, shown } = await mention(t);
    answer.say(`${TEXT} `.repeat(80));
    await t.discord.request(SEND, { count: 2 });
    t.discord.unsay(said);
    await t.bot.drain();
    expect(t.discord.messages()).toEqual([]);
    expect(() => t.llm.stop(answer.id, answer.question.member)).toThrow("ended already");
    expect(shown.deleted).toBe(false);
    expect(errors(t)).toEqual([]);
  });

  test("deletes while its attachment is fetched is not asked at all", async () => {
    await using t = await openTestBot();
    const files = [
      { name: "slow.txt", bytes: Buffer.from("slow"), trouble: { kind: "stall", after: 1 } as const },
    ];
    const said = t.discord.say({ content: `${me(t)} What is this?`, files });
    await t.discord.request(TYPING, { count: 2 });
    t.discord.unsay(said);
    await t.bot.drain();
    expect(t.discord.requestsTo(SEND)).toEqual([]);
    expect(errors(t)).toEqual([]);
  });
});

describe("an answer ends with one record when", () => {
  const cases: [string, (t: TestBot, channel: string) => void][] = [
    ["its channel is deleted", (t, channel) => t.discord.removeChannel(channel)],
    [
      "the bot may not see the channel any more",
      (t) => t.discord.deny("general", PermissionFlagsBits.ViewChannel),
    ],
    ["its thread is archived", (t, channel) => t.discord.archive(channel)],
  ];
  for (const [what, happens] of cases) {
    test(what, async () => {
      await using t = await openTestBot();
      choose(t, { threads: what.includes("thread") });
      const { answer } = await mentionInThread(t);
      happens(t, answer.question.place.channelId);
      answer.say(TEXT);
      await t.discord.request(EDIT);
      await t.bot.drain();
      expect(() => t.llm.stop(answer.id, answer.question.member)).toThrow("ended already");
      expect(errors(t)).toHaveLength(1);
    });
  }

  test("the bot may not write there in the first place", async () => {
    await using t = await openTestBot();
    t.discord.say({ channel: "quiet", content: `${me(t)} Why?` });
    const answer = await t.llm.asked();
    await t.bot.drain();
    expect(() => t.llm.stop(answer.id, answer.question.member)).toThrow("ended already");
    expect(t.discord.requestsTo(SEND)).toHaveLength(1);
    expect(errors(t)).toHaveLength(1);
  });
});

describe("what can't be answered", () => {
  test("says so in the reply, with the error id of its trace", async () => {
    await using t = await openTestBot();
    t.llm.refuse(new WisError("llm.queue_full", { say: "The queue is full.", hint: "Ask again later." }));
    t.discord.say({ content: `${me(t)} Why?` });
    const reply = await t.discord.waitForMessage(has("The queue is full."));
    await t.bot.drain();
    const [, errorId] =
      /^⚠️ The queue is full\.\nAsk again later\.\n-# Error id `(\w+)`$/.exec(reply.content) ?? [];
    const recorded = t.lines().filter(({ msg }) => String(msg).includes("The queue is full."));
    expect(recorded.map(({ trace_id }) => trace_id)).toEqual([errorId]);
    expect(await t.telemetry.scrape()).toMatch(/command="message",outcome="llm.queue_full"/);
  });

  test("is the sixth of somebody's messages at once", async () => {
    await using t = await openTestBot();
    for (let count = 0; count < 5; count++) t.discord.say({ content: `${me(t)} Question ${count}` });
    const answers = await Promise.all(Array.from({ length: 5 }, () => t.llm.asked()));
    t.discord.say({ content: `${me(t)} One more` });
    await t.discord.waitForMessage(has("I am answering 5 of your messages already."));
    t.discord.say({ user: "ben", content: `${me(t)} May I?` });
    const bens = await t.llm.asked();
    expect(bens.question.prompt).toBe("May I?");
    for (const answer of [...answers, bens]) answer.done();
  });

  test("is asked while wisbot is shutting down", async () => {
    await using t = await openTestBot();
    const { answer } = await mention(t);
    const drained = t.bot.drain();
    t.discord.say({ user: "ben", content: `${me(t)} May I?` });
    await t.discord.waitForMessage(has("WisBot is shutting down"));
    answer.done();
    await drained;
  });
});
