import { describe, expect, test } from "bun:test";
import type { Asked, ShownMessage } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const ask = (t: TestBot, user: string, options = {}) =>
  loaded(t.discord.invoke({ user, command: "wis persona", options }));

/** Gives a channel's personas, as if they had been set by hand one after the other. */
function know(t: TestBot, texts: string[]): void {
  const placeId = t.discord.channel("general").id;
  const guildId = t.discord.guild().id;
  const authorId = t.discord.user("mia").id;
  t.llm.knows.personas = texts.map((text, index) => ({
    placeId,
    guildId,
    version: index + 1,
    text,
    authorId,
    createdAt: t.now(),
  }));
}

async function press(t: TestBot, message: ShownMessage, button: string): Promise<ShownMessage> {
  const before = message.history.length;
  const pressed = t.discord.press({ user: "mia", message, button });
  return await pressed.waitFor(({ history }) => history.length > before);
}

const labels = ({ buttons }: ShownMessage) => buttons.map(({ label }) => label);

describe("/wis persona", () => {
  test("shows a member who answers here, with its version and nothing to press", async () => {
    await using t = await openTestBot();
    know(t, ["You are a pirate.\n# Shout **loudly**"]);
    const { content, buttons, ephemeral } = await ask(t, "ada");
    expect(ephemeral).toBe(true);
    expect(content).toContain("This channel's persona answers here: version 1");
    expect(content).toContain("> You are a pirate.\n> \\# Shout \\*\\*loudly\\*\\*");
    expect(buttons).toEqual([]);
  });

  test("says that the default answers where nothing was set", async () => {
    await using t = await openTestBot();
    const view = await ask(t, "mia");
    expect(view.content).toContain("The default persona answers here.");
    expect(labels(view)).toEqual(["Edit"]);
  });

  test("attaches one that is too long for the message", async () => {
    await using t = await openTestBot();
    const text = "*Be kind.* ".repeat(363).trim();
    know(t, [text]);
    const { attachments } = await ask(t, "mia");
    expect(new TextDecoder().decode(attachments[0]?.bytes)).toBe(text);
  });

  test("is edited by a moderator in a form that holds what is there, and says the new version", async () => {
    await using t = await openTestBot();
    know(t, ["You are a pirate."]);
    const pressed = t.discord.press({ user: "mia", message: await ask(t, "mia"), button: "Edit" });
    await pressed.response();
    expect(pressed.form?.components[0]?.component).toMatchObject({
      value: "You are a pirate.",
      max_length: 4_000,
    });
    const submitted = t.discord.submit({ asked: pressed, text: "You are a poet." });
    const view = await submitted.waitFor(({ content }) => content.includes("poet"));
    expect(view.content).toEndWith("-# ✅ Version 2: this channel has a new persona from now on.");
    expect(t.llm.knows.calls).toMatchObject([
      { name: "setPersona", input: { scope: "channel", text: "You are a poet.", by: { moderator: true } } },
    ]);
  });

  test("goes back to the default, and to one of the last five versions", async () => {
    await using t = await openTestBot();
    know(t, ["one", "two", "three", "four", "five", "six"]);
    const view = await ask(t, "mia");
    expect(labels(view)).toEqual([
      "Edit",
      "Back to the default",
      "Restore 5",
      "Restore 4",
      "Restore 3",
      "Restore 2",
    ]);
    const back = await press(t, view, "Back to the default");
    expect(back.content).toContain("Version 7: this channel has no persona of its own from now on.");
    const restored = await press(t, back, "Restore 3");
    expect(restored.content).toContain("> three");
    expect(restored.content).toContain("Version 8");
  });

  test("is changed for the whole server when that is asked", async () => {
    await using t = await openTestBot();
    const view = await ask(t, "mia", { for: "server" });
    const pressed = t.discord.press({ user: "mia", message: view, button: "Edit" });
    await pressed.response();
    await t.discord
      .submit({ asked: pressed, text: "Be brief." })
      .waitFor(({ content }) => content.includes("Version 1: this server has a new persona"));
    expect(t.llm.knows.calls).toMatchObject([{ input: { scope: "server" } }]);
  });
});
