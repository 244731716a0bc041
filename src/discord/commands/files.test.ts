import { describe, expect, test } from "bun:test";
import { MessageFlags } from "discord.js";
import type { Asked, ShownMessage } from "../../testing/discord/index.ts";
import { incoming, slowBody, ticketIn } from "../../testing/file-desk.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

/** Keeps files for somebody, a second between any two. Gives their ids, the newest first. */
async function keep(t: TestBot, count: number, owner = "ada"): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 1; number <= count; number++) {
    t.later(1_000);
    const file = incoming({ name: `file ${number}.txt`, text: "hello" });
    ids.unshift((await t.desk.files.add({ ownerId: t.discord.user(owner).id }, file)).id);
  }
  return ids;
}

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const ask = (t: TestBot, options = {}) =>
  loaded(t.discord.invoke({ user: "ada", command: "wis files", options }));

/** Presses a button of the list and gives the list as it is then. */
async function press(t: TestBot, message: ShownMessage, button: string): Promise<ShownMessage> {
  const before = message.history.length;
  const asked = t.discord.press({ user: "ada", message, button });
  return await asked.waitFor(({ history }) => history.length > before);
}

const names = ({ content }: ShownMessage) => content.match(/file \d+\.txt/g) ?? [];

describe("/wis files", () => {
  test("shows one's own files to oneself alone, newest first, with size, downloads and expiry", async () => {
    await using t = await openTestBot();
    const [, older = ""] = await keep(t, 2);
    await keep(t, 1, "ben");
    await t.desk.files.download(await t.desk.files.get(older), "somebody");
    const list = await ask(t);
    expect(list.ephemeral).toBe(true);
    expect(list.content.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^\*\*1\.\*\* file 2\.txt · 5 B · 0 downloads · goes <t:\d+:R>$/),
      expect.stringMatching(/^\*\*2\.\*\* file 1\.txt · 5 B · 1 download · goes <t:\d+:R>$/),
    ]);
    const labels = ["Link", "History", "Extend", "Delete"];
    const numbered = [1, 2].flatMap((number) => labels.map((label) => `${label} ${number}`));
    expect(list.buttons.map(({ label }) => label)).toEqual(numbered);
  });

  test("says first what is used and left, and when space comes back", async () => {
    await using t = await openTestBot({
      files: () => ({ max_files_per_user: 7, max_bytes_per_user: "1kB" }),
    });
    const [, oldest = ""] = await keep(t, 2);
    const { expiresAt } = await t.desk.files.get(oldest);
    const [first] = (await ask(t)).content.split("\n");
    expect(first).toBe(
      `You keep 2 of 7 files, open links included: 10 B of 1 kB. 990 B are left. Space comes back <t:${Math.floor(expiresAt / 1000)}:R>.`,
    );
  });

  test("says that space comes back with the next clean-up when it is due already", async () => {
    await using t = await openTestBot();
    await keep(t, 1);
    t.later(8 * 86_400_000);
    const [first] = (await ask(t)).content.split("\n");
    expect(first).toEndWith(" left. Space comes back with the next clean-up.");
  });

  test("says what a bundle, a password and a maximum of downloads are, and never the password", async () => {
    await using t = await openTestBot();
    const ownerId = t.discord.user("ada").id;
    await t.desk.files.add({ ownerId, password: "hunter2", maxDownloads: 1 }, incoming());
    const { content } = await ask(t);
    expect(content).toContain("hello.txt · 5 B · 0 of 1 download · with a password");
    expect(content).not.toContain("hunter2");
  });

  test("says how to upload where there is nothing yet", async () => {
    await using t = await openTestBot();
    const { content, buttons } = await ask(t);
    expect(content).toEndWith("You have no files. Upload some with `/wis upload`.");
    expect(buttons).toEqual([]);
  });

  test("turns its pages there and back, past files that have expired or are gone", async () => {
    await using t = await openTestBot();
    const ids = await keep(t, 10);
    const first = await ask(t);
    expect(names(first)).toEqual(["file 10.txt", "file 9.txt", "file 8.txt", "file 7.txt"]);
    const second = await press(t, first, "Older");
    expect(names(second)).toEqual(["file 6.txt", "file 5.txt", "file 4.txt", "file 3.txt"]);
    // The file that the next page begins behind, and one of the page before.
    await t.desk.files.remove(ids[7] ?? "", "admin");
    await t.desk.files.remove(ids[1] ?? "", "admin");
    const third = await press(t, second, "Older");
    expect(names(third)).toEqual(["file 2.txt", "file 1.txt"]);
    expect(third.buttons.map(({ label }) => label)).not.toContain("Older");
    const back = await press(t, third, "Newer");
    expect(names(back)).toEqual(["file 7.txt", "file 6.txt", "file 5.txt", "file 4.txt"]);
    const start = await press(t, back, "Newer");
    expect(names(start)).toEqual(["file 10.txt", "file 8.txt", "file 7.txt", "file 6.txt"]);
    expect(start.buttons.map(({ label }) => label)).not.toContain("Newer");
  });

  test("finds its way back through hundreds of files", async () => {
    await using t = await openTestBot({ files: () => ({ max_files_per_user: 1_000 }) });
    await keep(t, 230);
    const list = await ask(t);
    const rows = await Array.fromAsync(t.desk.files.list({}));
    const at = rows[219];
    // As if somebody had turned 55 pages.
    const newer = `files:newer:${at?.createdAt.toString(36)}.${at?.id}`;
    const edit = `/channels/${list.channelId}/messages`;
    const button = { type: 2, style: 2, label: "Newer", custom_id: newer };
    const message = await asBot(t, edit, { components: [{ type: 1, components: [button] }] });
    expect(names(await press(t, message, "Newer"))).toEqual([
      "file 14.txt",
      "file 13.txt",
      "file 12.txt",
      "file 11.txt",
    ]);
  });

  test("gives a bare link that can be copied, without a card, to oneself alone", async () => {
    await using t = await openTestBot();
    const [id = ""] = await keep(t, 1);
    const pressed = t.discord.press({ user: "ada", message: await ask(t), button: "Link 1" });
    const link = await pressed.waitFor(({ content }) => content.startsWith("http"));
    expect(link.content).toBe(`http://wisbot.test/f/${id}`);
    expect(link.ephemeral).toBe(true);
    expect(link.flags & MessageFlags.SuppressEmbeds).not.toBe(0);
  });

  test("tells its owner what happened to a file, and of visitors nothing but that one was the same", async () => {
    await using t = await openTestBot();
    const [id = ""] = await keep(t, 1);
    const file = await t.desk.files.get(id);
    await t.desk.files.download(file, "192.0.2.7 curl");
    t.desk.files.viewed(file, "192.0.2.7 curl");
    await t.desk.files.extend(id, "admin");
    const pressed = t.discord.press({ user: "ada", message: await ask(t), button: "History 1" });
    const history = await pressed.waitFor(({ content }) => content.includes("uploaded"));
    expect(history.ephemeral).toBe(true);
    expect(history.content.replaceAll(/<t:\d+:R>/g, "then").split("\n")).toEqual([
      "**file 1.txt**",
      "then given more time by admin",
      expect.stringMatching(/^then looked at by visitor `[\w-]{6}`$/),
      expect.stringMatching(/^then downloaded by visitor `[\w-]{6}`$/),
      `then uploaded by <@${t.discord.user("ada").id}>`,
    ]);
    expect(history.content).not.toContain("192.0.2.7");
    expect(new Set(history.content.match(/visitor `[\w-]{6}`/g)).size).toBe(1);
  });

  test("extends and deletes in place", async () => {
    await using t = await openTestBot();
    await keep(t, 6);
    const page = await press(t, await ask(t), "Older");
    t.later(3_600_000);
    const extended = await press(t, page, "Extend 2");
    const expiry = ({ content }: ShownMessage) => content.match(/goes <t:\d+/g)?.[1];
    expect(names(extended)).toEqual(["file 2.txt", "file 1.txt"]);
    expect(expiry(extended)).not.toBe(expiry(page));
    const shorter = await press(t, extended, "Delete 1");
    expect(names(shorter)).toEqual(["file 1.txt"]);
    // Nothing is left of this page: the one before it is shown.
    const before = await press(t, shorter, "Delete 1");
    expect(names(before)).toEqual(["file 6.txt", "file 5.txt", "file 4.txt", "file 3.txt"]);
  });

  test("says that a file is gone, and shows what is there", async () => {
    await using t = await openTestBot();
    const [newest = ""] = await keep(t, 2);
    const list = await ask(t);
    await t.desk.files.remove(newest, "admin");
    const after = await press(t, list, "Delete 1");
    expect(names(after)).toEqual(["file 1.txt"]);
    expect(after.content).toEndWith("There is no such file. It may have expired or been deleted.");
  });

  test("refuses whoever presses the buttons of somebody else's list", async () => {
    await using t = await openTestBot();
    await keep(t, 1, "ada");
    const { channelId, buttons } = await ask(t);
    // No list is anybody else's to see; so the bot is made to post one.
    const components = buttons.map(({ label, customId }) => ({
      type: 2,
      style: 2,
      label,
      custom_id: customId,
    }));
    const message = await asBot(t, `/channels/${channelId}/messages`, {
      components: [{ type: 1, components }],
    });
    for (const { label } of buttons) {
      const pressed = t.discord.press({ user: "ben", message, button: label });
      const refusal = await pressed.waitFor(({ content }) => content.startsWith("⚠️"));
      expect(refusal.ephemeral).toBe(true);
      expect(refusal.content).not.toContain("/f/");
    }
    expect((await t.desk.files.usage(t.discord.user("ada").id)).files).toBe(1);
  });

  test("hides from a member what happened to somebody else's file, and shows it to a moderator", async () => {
    await using t = await openTestBot();
    const [id = ""] = await keep(t, 1, "ada");
    await t.desk.files.extend(id, { ...memberOf(t, "mia"), moderator: true });
    const { channelId } = await ask(t);
    const component = { type: 2, style: 2, label: "History", custom_id: `files:history:${id}` };
    const message = await asBot(t, `/channels/${channelId}/messages`, {
      components: [{ type: 1, components: [component] }],
    });
    const history = async (user: string) => {
      const pressed = t.discord.press({ user, message, button: "History" });
      return await pressed.waitFor(({ id }) => id !== message.id);
    };
    const refusal = await history("ben");
    expect(refusal.content).toStartWith("⚠️ This file belongs to somebody else.");
    expect(refusal.content).not.toContain("<@");
    expect((await history("mia")).content).toContain(`by <@${t.discord.user("mia").id}>`);
  });

  test("switches the messages before an expiry off and on", async () => {
    await using t = await openTestBot();
    const ownerId = t.discord.user("ada").id;
    expect((await ask(t, { reminders: false })).content).toContain("no direct message any more");
    expect(await t.desk.files.reminders(ownerId)).toBe(false);
    expect((await ask(t, { reminders: true })).content).toContain("You will get a direct message");
    expect(await t.desk.files.reminders(ownerId)).toBe(true);
  });
});

describe("open links and unfinished uploads", () => {
  /** A link of Ada's; with files, one of a bundle of three of which so many have arrived. */
  async function openLink(t: TestBot, arrived = 0): Promise<string> {
    const link = await t.desk.files.issue({ ownerId: t.discord.user("ada").id });
    const ticket = ticketIn(link);
    if (arrived > 0) await t.desk.files.prepare(ticket, { files: 3 });
    for (let file = 1; file <= arrived; file++) {
      await t.desk.files.upload(ticket, incoming({ name: `${file}.txt`, text: "12345" }));
    }
    return ticket;
  }

  /** An upload that is cut, and may be gone on with. */
  async function cut(t: TestBot, ticket: string, length: number) {
    await t.desk.files.begin(ticket, { name: "big.iso", contentType: undefined, length });
  }

  const unfinished = ({ content }: ShownMessage) =>
    content.split("\n").find((line) => line.includes("unfinished"));

  test("are said, with what they keep reserved, and are given up at the press of a button", async () => {
    await using t = await openTestBot();
    await keep(t, 1);
    await openLink(t);
    await cut(t, await openLink(t), 1_000);
    await cut(t, await openLink(t, 2), 500);
    const list = await ask(t);
    expect(unfinished(list)).toBe("3 open links or unfinished uploads: 1.51 kB reserved.");
    const after = await press(t, list, "Give up unfinished");
    expect(unfinished(after)).toBeUndefined();
    expect(after.buttons.map(({ label }) => label)).not.toContain("Give up unfinished");
    expect(names(after)).toEqual(["file 1.txt"]);
    expect(await t.desk.files.usage(t.discord.user("ada").id)).toEqual({ files: 1, bytes: 5 });
  });

  test("are said where there is no file yet, and one is one", async () => {
    await using t = await openTestBot();
    await openLink(t);
    const list = await ask(t);
    expect(unfinished(list)).toBe("1 open link or unfinished upload: 0 B reserved.");
    expect(list.buttons.map(({ label }) => label)).toEqual(["Give up unfinished"]);
  });

  test("of others are left alone", async () => {
    await using t = await openTestBot();
    await t.desk.files.issue({ ownerId: t.discord.user("ben").id });
    expect(unfinished(await ask(t))).toBeUndefined();
    await openLink(t);
    await press(t, await ask(t), "Give up unfinished");
    expect((await t.desk.files.usage(t.discord.user("ben").id)).files).toBe(1);
  });

  for (const [what, arrived] of [
    ["an upload", 0],
    ["a bundle", 1],
  ] as const) {
    test(`stay while ${what} is being sent, which is said`, async () => {
      await using t = await openTestBot();
      const ticket = await openLink(t, arrived);
      await openLink(t);
      const source = slowBody();
      const upload = t.desk.files.upload(ticket, incoming({ length: 10, body: source.body }));
      source.send("12345");
      await source.wanted();
      const after = await press(t, await ask(t), "Give up unfinished");
      expect(unfinished(after)).toStartWith("1 open link or unfinished upload");
      expect(after.content).toEndWith("⚠️ What is being sent at this moment stays.");
      source.send("67890");
      source.end();
      expect((await upload).size).toBe(10);
    });
  }
});

const memberOf = (t: TestBot, name: string) => ({
  id: t.discord.user(name).id,
  name,
  asker: { guildId: null, roleIds: [] },
  moderator: false,
});

/** Posts a message of the bot's. */
async function asBot({ discord }: TestBot, path: string, body: object): Promise<ShownMessage> {
  const response = await fetch(`${discord.api}/v10${path}`, {
    method: "POST",
    headers: { authorization: `Bot ${discord.token}`, "content-type": "application/json" },
    body: JSON.stringify({ content: "A list", allowed_mentions: { parse: [] }, ...body }),
  });
  const { id } = (await response.json()) as { id: string };
  const message = discord.messages({}).find((one) => one.id === id);
  if (!message) throw new Error("the bot could not post");
  return message;
}
