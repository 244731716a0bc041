import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord.js";
import type { Announcement, Origin } from "../announce/ports.ts";
import { isWisError } from "../errors.ts";
import { newCapability } from "../lib/capability.ts";
import type { ShownMessage } from "../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../testing/test-bot.ts";

const SEND = "POST /channels/{channel_id}/messages";

interface Wish {
  channel?: string;
  private?: boolean;
  /** False: a link from the command line. */
  asked?: boolean;
}

/** A finished upload that was asked for in a channel, and what is owed for it. */
async function owe(t: TestBot, { channel = "general", private: isPrivate = false, asked = true }: Wish = {}) {
  const owner = t.discord.user("ada");
  const file = t.shelf.put({ ownerId: owner.id });
  let origin: Origin | null = null;
  if (asked) {
    const options = { private: isPrivate };
    const reply = t.discord.invoke({ user: "ada", channel, command: "wis upload", options });
    await reply.waitFor(({ loading }) => !loading);
    origin = t.shelf.issued.at(-1)?.origin ?? null;
  }
  const announcement: Announcement = {
    id: newCapability(),
    kind: "upload.finished",
    fileId: file.id,
    ownerId: owner.id,
    origin,
    createdAt: t.now(),
  };
  const shows = ({ embeds }: ShownMessage) => embeds[0]?.description === file.url;
  const seenIn = (place: string) => t.discord.messages({ channel: place, user: "ada" }).filter(shows);
  return { announcement, file, seenIn };
}

describe("a finished upload", () => {
  test("is announced in the channel where it was asked for", async () => {
    await using t = await openTestBot();
    const { announcement, seenIn } = await owe(t);
    await t.bot.messenger.deliver(announcement);
    const [card] = seenIn("general");
    expect(card?.ephemeral).toBe(false);
    expect(card?.buttons.map(({ label }) => label)).toEqual(["Open", "Extend", "Delete"]);
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
    const { announcement, seenIn } = await owe(t, { asked: false });
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
    const { announcement } = await owe(t, { asked: false });
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

  test("is owed no more when the file is gone", async () => {
    await using t = await openTestBot();
    const { announcement, file } = await owe(t);
    await t.shelf.files.remove(file.id, "admin");
    await t.bot.messenger.deliver(announcement);
    expect(t.discord.requestsTo(SEND)).toEqual([]);
  });
});
