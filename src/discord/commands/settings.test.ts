import { describe, expect, test } from "bun:test";
import { GatewayIntentBits } from "discord.js";
import { WisError } from "../../errors.ts";
import type { Asked } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot, type TestBotOptions } from "../../testing/test-bot.ts";

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const ask = (t: TestBot, options = {}, place = {}) =>
  loaded(t.discord.invoke({ user: "mia", command: "wis settings", options, ...place }));

describe("/wis settings", () => {
  test("shows how things are, to oneself alone, and how they are changed", async () => {
    await using t = await openTestBot();
    const { content, ephemeral } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(content.split("\n")).toEqual([
      "**answers** on · questions are taken in this server",
      "**threads** off · a question here opens a thread",
      "**free** off · every message here is a question",
      "-# Moderators change them: `/wis settings threads:on`",
    ]);
    expect(t.llm.knows.calls).toEqual([]);
  });

  test("stops all questions of the server, and changes what holds for the channel", async () => {
    await using t = await openTestBot();
    const { content } = await ask(t, { answers: "off", threads: "on" });
    expect(content).toContain("**answers** off");
    expect(content).toContain("**threads** on");
    expect(t.llm.knows.calls).toMatchObject([
      { name: "setPlace", input: { scope: "server", change: { off: true } } },
      { name: "setPlace", input: { scope: "channel", change: { threads: true } } },
    ]);
  });

  const readingAll: TestBotOptions = {
    config: { discord: { message_content: true } },
    discord: { privilegedIntents: GatewayIntentBits.MessageContent },
  };

  test.each<[string, TestBotOptions, boolean]>([
    ["says what is missing where messages can't be read", {}, true],
    ["says nothing where they can", readingAll, false],
  ])("free %s", async (_, options, warns) => {
    await using t = await openTestBot(options);
    const { content } = await ask(t, { free: "on" });
    expect(content).toContain("**free** on");
    expect(content.includes("discord.message_content")).toBe(warns);
  });

  test("passes on what the desk refuses", async () => {
    await using t = await openTestBot();
    t.llm.refuse(new WisError("forbidden", { say: "Only moderators may change that.", hint: "Ask one." }));
    expect((await ask(t, { answers: "off" })).content).toContain(
      "Only moderators may change that.\nAsk one.",
    );
  });

  test("says that direct messages have none", async () => {
    await using t = await openTestBot();
    expect((await ask(t, {}, { channel: "dm" })).content).toBe(
      "Direct messages have no settings. Run `/wis settings` in a server.",
    );
  });
});
