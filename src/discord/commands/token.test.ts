import { describe, expect, test } from "bun:test";
import type { Asked, ShownMessage } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";

/** Asks for a token; gives what is shown of it, and the list below it. */
async function ask(t: TestBot, options: { name?: string } = {}) {
  const asked = t.discord.invoke({ user: "ada", command: "wis token", options });
  const list = await asked.waitFor(({ content }) => content.startsWith("Your API tokens:"));
  const card = asked.message();
  if (!card) throw new Error("no token was shown");
  return { asked, card, list, secret: card.content.match(/wis_[\w-]{44}/)?.[0] ?? "" };
}

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const names = ({ content }: ShownMessage) =>
  [...content.matchAll(/\*\* (.*?) · created/g)].map(([, name]) => name);

describe("/wis token", () => {
  test("shows a token once, to its owner alone, with the line for curl", async () => {
    await using t = await openTestBot();
    const { card, secret } = await ask(t, { name: "laptop" });
    expect(card.ephemeral).toBe(true);
    expect(card.content).toContain("Your new API token laptop. This is the only time that it is shown");
    expect(card.content).toContain(`\`\`\`\n${secret}\n\`\`\``);
    expect(card.content).toContain(
      `curl -T FILE -H "Authorization: Bearer ${secret}" http://wisbot.test/api/files/`,
    );
    const row = await t.desk.files.tokenOf(secret);
    expect(row).toMatchObject({ name: "laptop", ownerId: t.discord.user("ada").id });
    expect(row.asker.guildId).toBe(t.discord.guild().id);
  });

  test("brings a config file that ShareX opens", async () => {
    await using t = await openTestBot();
    const { card, secret } = await ask(t);
    const [file] = card.attachments;
    expect(file?.name).toBe("wisbot.sxcu");
    expect(JSON.parse(new TextDecoder().decode(file?.bytes))).toEqual({
      Version: "15.0.0",
      Name: "WisBot (wisbot.test)",
      DestinationType: "ImageUploader, TextUploader, FileUploader",
      RequestMethod: "POST",
      RequestURL: "http://wisbot.test/api/files",
      Headers: { Authorization: `Bearer ${secret}` },
      Body: "MultipartFormData",
      FileFormName: "file",
      URL: "{json:url}",
      ErrorMessage: "{json:detail}",
    });
  });

  test("lists one's tokens, with when they were last used, and without what they are", async () => {
    await using t = await openTestBot();
    const { secret } = await ask(t, { name: "old" });
    await t.desk.files.tokenOf(secret);
    t.later(1_000);
    const { list } = await ask(t, { name: "new" });
    expect(list.ephemeral).toBe(true);
    expect(names(list)).toEqual(["old", "new"]);
    expect(list.content).toMatch(/old · created <t:\d+:R> · last used <t:\d+:R>\n/);
    expect(list.content).toMatch(/new · created <t:\d+:R> · never used$/);
    expect(list.content).not.toContain("wis_");
    expect(list.buttons.map(({ label }) => label)).toEqual(["Revoke 1", "Revoke 2"]);
  });

  test("revokes one at the press of its button, and leaves the new one to be copied", async () => {
    await using t = await openTestBot();
    const old = await ask(t, { name: "old" });
    t.later(1_000);
    const { asked, list, secret } = await ask(t, { name: "new" });
    const pressed = t.discord.press({ user: "ada", message: list, button: "Revoke 1" });
    const left = await pressed.waitFor(({ content }) => content.startsWith("Revoked"));
    expect(left.id).toBe(list.id);
    expect(names(left)).toEqual(["new"]);
    expect(asked.message()?.content).toContain(secret);
    expect(t.desk.files.tokenOf(old.secret)).rejects.toThrow("not valid");
    // In a list that still shows it.
    const again = t.discord.press({ user: "ada", message: old.list, button: "Revoke 1" });
    expect(names(await again.waitFor(({ content }) => content.startsWith("Revoked")))).toEqual(["new"]);
  });

  test("revokes nobody else's", async () => {
    await using t = await openTestBot();
    const { secret } = await ask(t);
    const { id } = await t.desk.files.tokenOf(secret);
    expect(t.desk.files.revokeToken(id, { ownerId: t.discord.user("ben").id })).rejects.toThrow("not valid");
  });

  test("says at the eleventh that there are ten, with the buttons to revoke one", async () => {
    await using t = await openTestBot();
    const ownerId = t.discord.user("ada").id;
    const asker = { guildId: null, roleIds: [] };
    for (let number = 1; number <= 10; number++) {
      await t.desk.files.mintToken({ ownerId, asker, name: `${"_".repeat(58)}${number}` });
    }
    const reply = await loaded(t.discord.invoke({ user: "ada", command: "wis token" }));
    expect(reply.content).toStartWith("⚠️ You have 10 tokens already.\nRevoke one");
    expect(reply.buttons).toHaveLength(10);
    await t.bot.drain();
    expect(t.lines().filter(({ level }) => level === "error")).toHaveLength(1);
  });

  test("keeps the secret out of the log, even when Discord refuses to show it", async () => {
    await using t = await openTestBot();
    const shown = await ask(t);
    t.discord.fail(EDIT, { kind: "status", status: 400, code: 50035, message: "Invalid Form Body" });
    const refused = await loaded(t.discord.invoke({ user: "ada", command: "wis token" }));
    expect(refused.content).toStartWith("⚠️ Discord refused");
    await t.bot.drain();
    const log = JSON.stringify(t.lines());
    expect(log).toContain("answering wis token");
    expect(log).not.toContain(shown.secret);
    expect(log).not.toContain("wis_");
  });
});
