import { describe, expect, test } from "bun:test";
import { WisError } from "../../errors.ts";
import type { Asked, DiscordStandIn } from "../../testing/discord/index.ts";
import { incoming, ticketIn } from "../../testing/file-desk.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const ERROR_ID = /-# Error id `[0-9a-f]{32}`$/;

const rows = ({ desk }: TestBot) => Array.fromAsync(desk.files.list({}));

/** What is kept, as text. */
async function kept(t: TestBot): Promise<string[]> {
  const files = await Promise.all((await rows(t)).map(({ id }) => t.desk.files.get(id)));
  return await Promise.all(files.map(async (file) => (await t.desk.files.open(file)).text()));
}

describe("/wis upload without a file", () => {
  test("gives its asker alone a link of their own, with its limits and its end", async () => {
    await using t = await openTestBot();
    const asked = t.discord.invoke({ command: "wis upload" });
    const reply = await asked.waitFor(({ loading }) => !loading);
    const [row] = await rows(t);
    const url = reply.buttons[0]?.url ?? "";
    expect(reply.ephemeral).toBe(true);
    expect(reply.content).toContain(url);
    expect(reply.content).toContain("250 MB");
    expect(reply.content).toContain(`<t:${Math.floor((row?.linkExpiresAt ?? 0) / 1000)}:R>`);
    expect(reply.buttons).toMatchObject([{ label: "Upload a file", style: "link" }]);
    expect(row?.ownerId).toBe(t.discord.user("ada").id);
    const { url: shared } = await t.desk.files.upload(ticketIn({ url }), incoming());
    expect(shared).toEndWith(`/f/${row?.id}`);
  });

  test("mints a link each time, and remembers where it was asked for", async () => {
    await using t = await openTestBot();
    const first = t.discord.invoke({ command: "wis upload" });
    const second = t.discord.invoke({ command: "wis upload", options: { private: true } });
    const replies = await Promise.all([first, second].map((one) => one.waitFor(({ loading }) => !loading)));
    expect(new Set(replies.map(({ buttons }) => buttons[0]?.url)).size).toBe(2);
    const origins = (await rows(t)).map(({ origin }) => origin);
    const originOf = ({ token }: Asked) => origins.find((one) => one?.interactionToken === token);
    expect([first, second].map((one) => originOf(one)?.private)).toEqual([false, true]);
    expect(originOf(first)).toMatchObject({
      channelId: t.discord.channel("general").id,
      guildId: t.discord.guild().id,
      applicationId: t.discord.applicationId,
    });
  });

  test("gives those with a role the quota of that role, in the server where they have it", async () => {
    const files = (discord: DiscordStandIn) => ({
      quotas: [{ roles: [discord.role("Patrons").id], max_file_size: "5GB", max_bytes: "9GB" }],
    });
    await using t = await openTestBot({ files });
    t.discord.setRoles("ben", ["Patrons"]);
    const told = async (user: string, channel: string) => {
      const asked = t.discord.invoke({ user, channel, command: "wis upload" });
      const { content } = await asked.waitFor(({ loading }) => !loading);
      return /at most (\S+ \S+),/.exec(content)?.[1];
    };
    expect(await told("ada", "general")).toBe("250 MB");
    expect(await told("ben", "general")).toBe("5 GB");
    expect(await told("ben", "dm")).toBe("250 MB");
    const roles = (await rows(t)).map(({ asker }) => asker?.roleIds.includes(t.discord.role("Patrons").id));
    expect(roles.filter(Boolean)).toHaveLength(1);
  });

  test("promises no more than there is room for", async () => {
    await using t = await openTestBot({
      files: () => ({ max_file_size: "1MB", max_bytes_per_user: "1000kB" }),
    });
    const ownerId = t.discord.user("ada").id;
    const told = async () => {
      const asked = t.discord.invoke({ user: "ada", command: "wis upload" });
      return (await asked.waitFor(({ loading }) => !loading)).content;
    };
    await t.desk.files.add({ ownerId }, incoming({ text: "x".repeat(400_000) }));
    expect(await told()).toContain("It takes one file or many, together at most 600 kB,");
    await t.desk.files.add({ ownerId }, incoming({ text: "y".repeat(600_000) }));
    expect(await told()).toContain("You have no room left: delete something with `/wis files` first.");
  });

  test("works in a direct message too", async () => {
    await using t = await openTestBot();
    const asked = t.discord.invoke({ command: "wis upload", channel: "dm" });
    await asked.waitFor(({ content }) => content.includes("/u/"));
    const [row] = await rows(t);
    expect(row?.origin).toMatchObject({ guildId: null });
  });

  test("says why there is no link, with the id of its trace, to its asker alone", async () => {
    await using t = await openTestBot({ files: () => ({ max_files_per_user: 2 }) });
    for (const _ of [1, 2]) await t.desk.files.issue({ ownerId: t.discord.user("ada").id });
    const asked = t.discord.invoke({ command: "wis upload" });
    const reply = await asked.waitFor(({ loading }) => !loading);
    expect(reply.ephemeral).toBe(true);
    expect(reply.content).toStartWith("⚠️ That would be more than the 2 files and open links");
    expect(reply.content).toContain("\nDelete a file, or wait");
    const [id] = reply.content.match(/[0-9a-f]{32}/) ?? [];
    expect(t.lines().find(({ trace_id }) => trace_id === id)?.msg).toContain("answering wis upload");
  });
});

describe("/wis upload with a file", () => {
  test("takes it into the store and answers with its card", async () => {
    await using t = await openTestBot();
    const file = { name: "notes.txt", bytes: bytes("hello"), contentType: "text/plain" };
    const asked = t.discord.invoke({ command: "wis upload", options: { file } });
    const reply = await asked.waitFor(({ loading }) => !loading);
    expect(await kept(t)).toEqual(["hello"]);
    expect(reply.ephemeral).toBe(false);
    expect(reply.embeds[0]?.title).toBe("notes.txt");
    expect(reply.embeds[0]?.description).toContain("/f/");
    expect(reply.embeds[0]?.fields?.map(({ value }) => value)).toEqual([
      "5 B",
      expect.stringMatching(/^<t:\d+:R>$/),
    ]);
    expect(reply.buttons.map(({ label }) => label)).toEqual(["Open", "Extend", "Delete"]);
  });

  test("shows the card to its asker alone when that was wanted", async () => {
    await using t = await openTestBot();
    const options = { file: { name: "a", bytes: bytes("a") }, private: true };
    const asked = t.discord.invoke({ command: "wis upload", options });
    const reply = await asked.waitFor(({ embeds }) => embeds.length > 0);
    expect(reply.ephemeral).toBe(true);
  });

  test("shows a hostile name as it stands and notifies nobody", async () => {
    await using t = await openTestBot();
    const file = { name: "@everyone _x_ ~~y~~ [z](evil.example).txt", bytes: bytes("a") };
    const asked = t.discord.invoke({ command: "wis upload", options: { file } });
    const reply = await asked.waitFor(({ embeds }) => embeds.length > 0);
    expect(reply.embeds[0]?.title).toBe("@everyone \\_x\\_ \\~\\~y\\~\\~ \\[z](evil.example).txt");
    expect(reply.pings).toEqual([]);
  });

  test("never fetches from anywhere but Discord's own hosts", async () => {
    await using t = await openTestBot();
    for (const url of ["http://127.0.0.1:1/x", `${t.discord.cdnHost}0/x`, "file:///etc/passwd", "nonsense"]) {
      const file = { name: "a", bytes: bytes("a"), url };
      const asked = t.discord.invoke({ command: "wis upload", options: { file } });
      const reply = await asked.waitFor(({ loading }) => !loading);
      expect(reply.content).toContain("does not come from Discord's own servers");
      expect(reply.content).toMatch(ERROR_ID);
    }
    expect(t.discord.downloads).toEqual([]);
  });

  test("follows no redirect", async () => {
    await using t = await openTestBot();
    const trouble = { kind: "redirect", to: `${t.discord.cdnHost}/secret` } as const;
    const file = { name: "a", bytes: bytes("a"), trouble };
    const asked = t.discord.invoke({ command: "wis upload", options: { file } });
    const reply = await asked.waitFor(({ loading }) => !loading);
    expect(reply.content).toContain("could not be fetched");
    expect(t.discord.downloads).not.toContain("/secret");
  });

  test("says so when wisbot ends while the file is coming in", async () => {
    await using t = await openTestBot();
    const trouble = { kind: "stall", after: 2 } as const;
    const asked = t.discord.invoke({
      command: "wis upload",
      options: { file: { name: "a", bytes: bytes("abcdef"), trouble } },
    });
    await asked.response();
    while (t.discord.downloads.length === 0) await new Promise((resolve) => setImmediate(resolve));
    t.closing.abort(new WisError("shutting_down", { say: "WisBot is shutting down.", hint: "Wait." }));
    const reply = await asked.waitFor(({ loading }) => !loading);
    expect(reply.content).toStartWith("⚠️ WisBot is shutting down.\nWait.");
  });

  test("says so when the attachment is gone", async () => {
    await using t = await openTestBot();
    const file = { name: "a", bytes: bytes("a"), trouble: { kind: "status", status: 404 } as const };
    const asked = t.discord.invoke({ command: "wis upload", options: { file } });
    const reply = await asked.waitFor(({ loading }) => !loading);
    expect(reply.content).toContain("could not be fetched");
  });
});

describe("the buttons of a card", () => {
  async function shareFile(t: TestBot) {
    const file = { name: "notes.txt", bytes: bytes("hello") };
    const asked = t.discord.invoke({ user: "ada", command: "wis upload", options: { file } });
    return await asked.waitFor(({ embeds }) => embeds.length > 0);
  }

  test("delete the file for its owner and say so on the card", async () => {
    await using t = await openTestBot();
    const message = await shareFile(t);
    const pressed = t.discord.press({ user: "ada", message, button: "Delete" });
    const card = await pressed.waitFor(({ buttons }) => buttons.length === 0);
    expect(card.id).toBe(message.id);
    expect(card.embeds[0]?.description).toBe("This file was deleted.");
  });

  test("obey a moderator", async () => {
    await using t = await openTestBot();
    const message = await shareFile(t);
    const pressed = t.discord.press({ user: "mia", message, button: "Delete" });
    await pressed.waitFor(({ embeds }) => embeds[0]?.description === "This file was deleted.");
  });

  test("refuse everybody else, to themselves alone, and leave the card as it is", async () => {
    await using t = await openTestBot();
    const message = await shareFile(t);
    for (const button of ["Delete", "Extend"]) {
      const pressed = t.discord.press({ user: "ben", message, button });
      const refusal = await pressed.waitFor(({ content }) => content.includes("Only the owner"));
      expect(refusal.ephemeral).toBe(true);
      expect(pressed.message()?.embeds).toEqual(message.embeds);
    }
  });

  test("extend the file from now on", async () => {
    await using t = await openTestBot();
    const message = await shareFile(t);
    t.later(60_000);
    const pressed = t.discord.press({ user: "ada", message, button: "Extend" });
    const expiry = (one: typeof message) => Number(one.embeds[0]?.fields?.[1]?.value.match(/\d+/)?.[0]);
    const card = await pressed.waitFor((one) => expiry(one) > expiry(message));
    expect(expiry(card) - expiry(message)).toBeGreaterThanOrEqual(59);
  });

  test("say on the card that a file is gone", async () => {
    await using t = await openTestBot();
    const message = await shareFile(t);
    for (const { id } of await rows(t)) await t.desk.files.remove(id, "admin");
    const pressed = t.discord.press({ user: "ben", message, button: "Extend" });
    const card = await pressed.waitFor(({ buttons }) => buttons.length === 0);
    expect(card.embeds[0]?.description).toStartWith("There is no such file.");
  });
});
