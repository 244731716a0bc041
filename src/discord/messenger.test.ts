import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord.js";
import { isWisError } from "../errors.ts";
import type { ShownMessage } from "../testing/discord/index.ts";
import { incoming, ticketIn } from "../testing/file-desk.ts";
import { openTestBot, type TestBot } from "../testing/test-bot.ts";

const SEND = "POST /channels/{channel_id}/messages";

interface Wish {
  channel?: string;
  private?: boolean;
  /** The owner of a link that was made on the command line. */
  madeFor?: string;
}

/** A finished upload, and what is owed for it. */
async function owe(t: TestBot, { madeFor, ...asked }: Wish = {}) {
  const { files, store } = t.desk;
  const link = madeFor === undefined ? await askForLink(t, asked) : await files.issue({ ownerId: madeFor });
  const file = await files.upload(ticketIn(link), incoming());
  const rows = await store.announcements.due(t.now(), 10);
  const announcement = rows.map((row) => row.announcement).find(({ fileId }) => fileId === file.id);
  if (!announcement) throw new Error("nothing is owed for a finished upload");
  const shows = ({ embeds }: ShownMessage) => embeds[0]?.description === file.url;
  const seenIn = (place: string) => t.discord.messages({ channel: place, user: "ada" }).filter(shows);
  return { announcement, file, seenIn };
}

async function askForLink(t: TestBot, { channel = "general", private: isPrivate = false }: Wish) {
  const options = { private: isPrivate };
  const asked = t.discord.invoke({ user: "ada", channel, command: "wis upload", options });
  const { buttons } = await asked.waitFor(({ loading }) => !loading);
  return { url: buttons[0]?.url ?? "" };
}

describe("a finished upload", () => {
  test("is announced in the channel where it was asked for", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t);
    await t.bot.messenger.deliver(announcement);
    const [card] = seenIn("general");
    expect(card?.ephemeral).toBe(false);
    expect(card?.buttons.map(({ label }) => label)).toEqual(["Open", "Post it here", "Extend", "Delete"]);
  });

  test("is shown once, however often it is delivered", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t);
    for (let time = 0; time < 3; time++) await t.bot.messenger.deliver(announcement);
    expect(seenIn("general")).toHaveLength(1);
    expect(t.discord.requestsTo(SEND)[0]?.body).toMatchObject({
      nonce: announcement.id,
      enforce_nonce: true,
    });
  });

  test("comes as a direct message when it was to be private", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t, { private: true });
    await t.bot.messenger.deliver(announcement);
    expect(seenIn("general")).toEqual([]);
    expect(seenIn("dm")).toHaveLength(1);
  });

  test("comes as a direct message where the bot may not post", async () => {
    await using t = await openTestBot();
    for (const channel of ["quiet", "general"]) {
      t.discord.deny("general", PermissionFlagsBits.ViewChannel);
      const { announcement, seenIn } = await owe(t, { channel });
      await t.bot.messenger.deliver(announcement);
      expect(seenIn(channel)).toEqual([]);
      expect(seenIn("dm")).toHaveLength(1);
    }
  });

  test("comes as a direct message when the link was made on the command line", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t, { madeFor: t.discord.user("ada").id });
    await t.bot.messenger.deliver(announcement);
    expect(seenIn("dm")).toHaveLength(1);
  });

  test("is told in the asker's own reply when nothing else is open", async () => {
    await using t = await openTestBot();
    t.discord.setDms("ada", false);
    const { announcement, seenIn } = await owe(t, { channel: "quiet" });
    await t.bot.messenger.deliver(announcement);
    expect(seenIn("quiet").map(({ ephemeral }) => ephemeral)).toEqual([true]);
  });

  test("is given up when nothing takes it, with every reason", async () => {
    await using t = await openTestBot();
    t.discord.setDms("ada", false);
    const { announcement } = await owe(t, { private: true });
    t.later(15 * 60_000);
    const error = await t.bot.messenger.deliver(announcement).catch((error: unknown) => error);
    expect(isWisError(error, "announce.undeliverable")).toBe(true);
    expect((error as { cause: AggregateError }).cause.errors).toHaveLength(2);
  });

  test("is given up at once for an owner who is nobody in Discord", async () => {
    await using t = await openTestBot();
    const { announcement } = await owe(t, { madeFor: t.discord.user("ada").id });
    const nobody = { ...announcement, ownerId: "alice" };
    expect(t.bot.messenger.deliver(nobody)).rejects.toThrow("could not be announced");
  });

  test("is tried again later when Discord is away", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t);
    t.discord.outage(true);
    const error = await t.bot.messenger.deliver(announcement).catch((error: unknown) => error);
    expect(isWisError(error, "discord.unreachable")).toBe(true);
    t.discord.outage(false);
    await t.bot.messenger.deliver(announcement);
    expect(seenIn("general")).toHaveLength(1);
  });

  test("is told where its link was, as long as that is in reach", async () => {
    await using t = await openTestBot();
    const early = await owe(t);
    await t.bot.messenger.deliver(early.announcement);
    const replies = () =>
      t.discord.messages({ channel: "general", user: "ada" }).filter((one) => one.ephemeral);
    expect(replies().map(({ content }) => content)).toEqual([`Uploaded: hello.txt\n<${early.file.url}>`]);
    const late = await owe(t, { private: true });
    t.later(15 * 60_000);
    await t.bot.messenger.deliver(late.announcement);
    expect(replies().at(-1)?.content).toContain("/u/");
    expect(late.seenIn("dm")).toHaveLength(1);
  });

  test("is announced all the same when Discord does not take that", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t);
    const trouble = { kind: "status", status: 404, code: 10008, message: "Unknown Message" } as const;
    t.discord.fail("PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original", trouble);
    await t.bot.messenger.deliver(announcement);
    expect(seenIn("general")).toHaveLength(1);
    expect(t.lines().filter(({ level }) => level === "error")).toHaveLength(1);
  });

  test("is owed no more when the file is gone", async () => {
    await using t = await openTestBot();
    const { announcement, file } = await owe(t);
    await t.desk.files.remove(file.id, "admin");
    await t.bot.messenger.deliver(announcement);
    expect(t.discord.requestsTo(SEND)).toEqual([]);
  });
});

describe("a file that goes soon", () => {
  const DAY = 86_400_000;

  /** Ada's file, and what is owed for it a day before it goes. */
  async function expiring(t: TestBot) {
    const file = await t.desk.files.add({ ownerId: t.discord.user("ada").id }, incoming());
    t.later(6 * DAY + 1_000);
    const index = t.desk.store.files;
    await index.remind({ lead: DAY, now: t.now(), limit: 10, newId: () => "n".repeat(22) });
    const [owed] = await t.desk.store.announcements.due(t.now(), 1);
    if (!owed) throw new Error("nothing is owed for a file that goes");
    return { file, announcement: owed.announcement };
  }

  const told = (t: TestBot) => t.discord.messages({ channel: "dm", user: "ada" });

  async function tell(t: TestBot) {
    const { file, announcement } = await expiring(t);
    await t.bot.messenger.deliver(announcement);
    const [message] = told(t);
    if (!message) throw new Error("nobody was told");
    return { file, message };
  }

  test("is told of to its owner, directly, with what can be done about it", async () => {
    await using t = await openTestBot();
    const { file, message } = await tell(t);
    const at = Math.floor(file.expiresAt / 1000);
    expect(message.content).toBe(`hello.txt goes <t:${at}:R>.\n<${file.url}>`);
    expect(message.buttons.map(({ label }) => label)).toEqual(["Extend", "Delete", "Don't remind me"]);
  });

  test("is told of once, however often it is delivered", async () => {
    await using t = await openTestBot();
    const { announcement } = await expiring(t);
    for (let time = 0; time < 3; time++) await t.bot.messenger.deliver(announcement);
    expect(told(t)).toHaveLength(1);
  });

  test("is extended at the press of a button", async () => {
    await using t = await openTestBot();
    const { file, message } = await tell(t);
    const pressed = t.discord.press({ user: "ada", message, button: "Extend" });
    await pressed.waitFor(({ embeds }) => embeds[0]?.title === "hello.txt");
    expect((await t.desk.files.get(file.id)).expiresAt).toBeGreaterThan(file.expiresAt + 5 * DAY);
  });

  test("is the last one to be told of, where its owner wants that", async () => {
    await using t = await openTestBot();
    const { message } = await tell(t);
    const pressed = t.discord.press({ user: "ada", message, button: "Don't remind me" });
    const after = await pressed.waitFor(({ content }) => content.includes("not be reminded any more"));
    expect(after.content).toStartWith("hello.txt goes");
    expect(after.buttons.map(({ label }) => label)).toEqual(["Extend", "Delete"]);
    expect(await t.desk.files.reminders(t.discord.user("ada").id)).toBe(false);
  });

  test("can be told of no more when it was extended or deleted meanwhile", async () => {
    for (const change of ["extend", "remove"] as const) {
      await using t = await openTestBot();
      const { file, announcement } = await expiring(t);
      await t.desk.files[change](file.id, "admin");
      await t.bot.messenger.deliver(announcement);
      expect(told(t)).toEqual([]);
    }
  });

  test("is owed no more, and is no failure, where its owner takes no direct messages", async () => {
    await using t = await openTestBot();
    const { announcement } = await expiring(t);
    t.discord.setDms("ada", false);
    await t.bot.messenger.deliver(announcement);
    expect(told(t)).toEqual([]);
  });
});
