import { describe, expect, test } from "bun:test";
import { WisError } from "../../errors.ts";
import type { ShownMessage } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const EDIT = "PATCH /channels/{channel_id}/messages/{message_id}";
const WEBHOOK_EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";
const QUESTION = "> Why is the sky blue?\n";
const LONG_ENOUGH = "Because of Rayleigh scattering, mostly.";

async function ask(t: TestBot, prompt = "Why is the sky blue?") {
  const asked = t.discord.invoke({ user: "ada", command: "wis llm", options: { prompt } });
  const answer = await t.llm.asked();
  await asked.response();
  return { asked, answer };
}

const has = (text: string) => (message: ShownMessage) => message.content.includes(text);
const ended = ({ buttons }: ShownMessage) => buttons.some(({ label }) => label === "Regenerate");
const FOOTER = "\n-# llama3.2";
const refusal = new WisError("llm.queue_full", {
  say: "The queue is full.",
  hint: "Ask again in a few minutes.",
});

describe("/wis llm", () => {
  test("quotes the question at once, names the model and offers to stop", async () => {
    await using t = await openTestBot();
    const { asked } = await ask(t);
    const reply = asked.message();
    expect(reply?.content).toBe(`${QUESTION}-# Asking llama3.2…`);
    expect(reply?.ephemeral).toBe(false);
    expect(reply?.buttons.map(({ label }) => label)).toEqual(["Stop"]);
  });

  test("shows the place in the queue, then that the model is loading, then the answer", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    answer.send({ type: "waiting", position: 3, seconds: 40 });
    await asked.waitFor(has("Waiting: place 3, about 40 s"));
    answer.send({ type: "loading", model: "llama3.2" });
    await asked.waitFor(has("Loading the model llama3.2…"));
    answer.send({ type: "thinking" });
    await asked.waitFor(has("Thinking…"));
    answer.say(LONG_ENOUGH);
    await asked.waitFor(has(LONG_ENOUGH));
    answer.say(" The rest.");
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.content).toBe(`${QUESTION}${LONG_ENOUGH} The rest.${FOOTER}`);
  });

  test("tells the llm which message shows the answer", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    answer.done();
    await t.bot.drain();
    expect(answer.shownIn).toEqual([asked.message()?.id ?? ""]);
    expect(answer.question.place).toMatchObject({
      channelId: t.discord.channel("general").id,
      interactionToken: asked.token,
    });
  });

  test("says that an empty answer is empty", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    answer.say(" \n");
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.content).toBe(`${QUESTION}-# The model gave an empty answer. Ask in other words.${FOOTER}`);
  });

  test("notifies nobody, whatever question and answer mention", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t, "@everyone **hi** [x](https://evil.example)");
    answer.say(`@everyone <@${t.discord.user("ben").id}> ${LONG_ENOUGH}`);
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.content).toStartWith("> @everyone \\*\\*hi\\*\\* \\[x](https://evil.example)\n");
    expect(reply.pings).toEqual([]);
  });

  test("tells what is refused at once to the asker alone", async () => {
    await using t = await openTestBot();
    t.llm.refuse(refusal);
    const asked = t.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
    const reply = await asked.waitFor(() => true);
    expect(reply.ephemeral).toBe(true);
    expect(reply.content).toStartWith("⚠️ The queue is full.\nAsk again in a few minutes.\n-# Error id `");
  });

  test("answers before a disk that takes its time", async () => {
    await using t = await openTestBot();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { ask } = t.llm;
    t.llm.ask = async (question) => {
      await promise;
      return ask(question);
    };
    const asked = t.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
    await asked.response();
    resolve();
    const answer = await t.llm.asked();
    answer.say(LONG_ENOUGH);
    await asked.waitFor(({ content, buttons }) => content.includes(LONG_ENOUGH) && buttons.length === 1);
  });
});

describe("an answer that fails", () => {
  test("keeps the part that came, with the reason below it", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    answer.say(LONG_ENOUGH);
    await asked.waitFor(has(LONG_ENOUGH));
    answer.fail(new WisError("llm.cut", { say: "The answer was cut off.", hint: "Ask again." }));
    const reply = await asked.waitFor(ended);
    expect(reply.content).toStartWith(
      `${QUESTION}${LONG_ENOUGH}\n⚠️ The answer was cut off.\nAsk again.\n-# Error id \``,
    );
  });

  test("before its first word says why, in place of the status", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    answer.fail(
      new WisError("llm.model_missing", { say: "No llama3.2.", hint: "Run ollama pull llama3.2." }),
    );
    const reply = await asked.waitFor(ended);
    expect(reply.content).toStartWith(`${QUESTION}⚠️ No llama3.2.\nRun ollama pull llama3.2.\n`);
    await t.bot.drain();
    expect(await t.telemetry.scrape()).toMatch(/command="wis llm",outcome="llm.model_missing"/);
  });

  test("because the first response came too late holds no slot", async () => {
    await using t = await openTestBot();
    const failure = { kind: "status", status: 404, code: 10062, message: "Unknown interaction" } as const;
    t.discord.fail("POST /interactions/{interaction_id}/{interaction_token}/callback", failure);
    t.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
    const answer = await t.llm.asked();
    await t.bot.drain();
    const moderator = { id: "1", name: "x", asker: { guildId: null, roleIds: [] }, moderator: true };
    expect(() => t.llm.stop(answer.id, moderator)).toThrow("ended already");
  });
});

describe("Stop", () => {
  test("ends the answer for its asker and for moderators, and the part stays", async () => {
    await using t = await openTestBot();
    for (const user of ["ada", "mia"]) {
      const { asked, answer } = await ask(t);
      answer.say(LONG_ENOUGH);
      const message = await asked.waitFor(has(LONG_ENOUGH));
      t.discord.press({ user, message, button: "Stop" });
      const reply = await asked.waitFor(ended);
      expect(reply.content).toBe(`${QUESTION}${LONG_ENOUGH}\n-# ⏹ Stopped.`);
    }
  });

  test("tells others, alone, that they may not", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    const message = asked.message() as ShownMessage;
    const pressed = t.discord.press({ user: "ben", message, button: "Stop" });
    const reply = await pressed.waitFor(has("Only who asked and moderators"));
    expect(reply.ephemeral).toBe(true);
    answer.done();
    await asked.waitFor(ended);
  });
});

describe("a long answer", () => {
  const paragraph = (number: number) => `${number} ${"word ".repeat(180)}\n\n`;

  test("goes on in further messages, and Stop is under the last one", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    for (let number = 0; number < 5; number++) answer.say(paragraph(number));
    await asked.waitFor(({ content, buttons }) => content.startsWith("4 ") && buttons.length === 1);
    expect(
      asked
        .messages()
        .slice(0, -1)
        .flatMap(({ buttons }) => buttons),
    ).toEqual([]);
    answer.done();
    await t.bot.drain();
    const messages = asked.messages();
    expect(messages.map(({ content }) => content.length).every((length) => length <= 2000)).toBe(true);
    const joined = messages.map(({ content }) => content.trim()).join(" ");
    for (let number = 0; number < 5; number++) expect(joined).toContain(`${number} word`);
    expect(answer.shownIn).toEqual(messages.map(({ id }) => id));
  });

  test("of more than five messages becomes a file with its beginning above it", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    const text = Array.from({ length: 16 }, (_, number) => paragraph(number)).join("");
    answer.say(text.slice(0, 6_000));
    await asked.waitFor(has("5 word"));
    answer.say(text.slice(6_000));
    answer.done();
    await t.bot.drain();
    const [message, ...others] = asked.messages();
    expect(others).toEqual([]);
    expect(message?.content).toStartWith(`${QUESTION}0 word`);
    expect(message?.content).toContain("all of it is in the file");
    expect(message?.attachments.map(({ name }) => name)).toEqual(["answer.md"]);
    expect(new TextDecoder().decode(message?.attachments[0]?.bytes)).toBe(text);
  });

  test("of more than 14 minutes is edited by channel and message id", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    answer.say(LONG_ENOUGH);
    await asked.waitFor(has(LONG_ENOUGH));
    t.later(14 * 60_000);
    answer.say(" And more.");
    await asked.waitFor(has("And more."));
    await t.discord.request(EDIT);
    t.later(2 * 60_000);
    answer.say(paragraph(1) + paragraph(2) + paragraph(3));
    answer.done();
    await t.discord.waitForMessage(has("3 word"), { channel: "general" });
    expect(asked.message()?.buttons).toEqual([]);
  });
});

test("an answer that can't go on in a further message keeps what it has, and says so", async () => {
  await using t = await openTestBot();
  const { asked, answer } = await ask(t);
  const failure = { kind: "status", status: 403, code: 50013, message: "Missing Permissions" } as const;
  t.discord.fail("POST /webhooks/{webhook_id}/{webhook_token}", { ...failure, times: 10 });
  answer.say(`${LONG_ENOUGH} ${"word ".repeat(600)}`);
  await t.discord.request("POST /webhooks/{webhook_id}/{webhook_token}");
  await t.bot.drain();
  expect(asked.message()?.content).toStartWith(`${QUESTION}${LONG_ENOUGH}`);
  expect(asked.message()?.content).toContain(
    "\n⚠️ Discord refused to send a follow-up: Missing Permissions.\n",
  );
  expect(asked.message()?.buttons.map(({ label }) => label)).toEqual(["Regenerate"]);
});

describe("under a rate limit", () => {
  test("an answer of 50 tokens costs a handful of edits, and none is lost", async () => {
    await using t = await openTestBot({ discord: { limits: "discord" } });
    const { asked, answer } = await ask(t);
    const words = Array.from({ length: 50 }, (_, index) => `word${index}`);
    for (const word of words) answer.say(`${word} `);
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.content).toBe(`${QUESTION}${words.join(" ")}${FOOTER}`);
    expect(t.discord.requestsTo(WEBHOOK_EDIT).length).toBeLessThanOrEqual(3);
    expect(t.discord.invalidRequests).toBe(0);
  });

  test("previews are dropped and the final text comes through", async () => {
    await using t = await openTestBot();
    const { asked, answer } = await ask(t);
    t.discord.refuse(WEBHOOK_EDIT, { times: 1, retryAfter: 1_000 });
    answer.say(LONG_ENOUGH);
    await t.discord.request(WEBHOOK_EDIT);
    answer.say(" The rest.");
    answer.done();
    const reply = await asked.waitFor(ended);
    expect(reply.content).toEndWith(`The rest.${FOOTER}`);
  });
});

test("an answer whose message was deleted is stopped, and nothing is made of it", async () => {
  await using t = await openTestBot();
  const { answer } = await ask(t);
  t.discord.fail(WEBHOOK_EDIT, { kind: "status", status: 404, code: 10008, message: "Unknown Message" });
  answer.say(LONG_ENOUGH);
  await t.discord.request(WEBHOOK_EDIT);
  await t.bot.drain();
  expect(t.discord.requestsTo(WEBHOOK_EDIT)).toHaveLength(1);
  expect(t.lines().filter(({ level }) => level === "error")).toEqual([]);
});
