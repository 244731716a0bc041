import { describe, expect, test } from "bun:test";
import type { BlobStore } from "../../files/blob-ports.ts";
import type { Sharing } from "../../files/files.ts";
import type { ShownMessage } from "../../testing/discord/index.ts";
import { incoming, ticketIn } from "../../testing/file-desk.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";
import { until } from "../../testing/until.ts";

const FOLLOW_UP = "POST /webhooks/{webhook_id}/{webhook_token}";

interface Given {
  text?: string;
  sharing?: Sharing;
  private?: boolean;
}

/** The card of an upload through a link that Ada asked for. */
async function announce(
  t: TestBot,
  { text = "hello", sharing = {}, ...given }: Given = {},
): Promise<ShownMessage> {
  const options = { private: given.private ?? false };
  const asked = t.discord.invoke({ user: "ada", channel: "general", command: "wis upload", options });
  const { buttons } = await asked.waitFor(({ loading }) => !loading);
  const ticket = ticketIn({ url: buttons[0]?.url ?? "" });
  await t.desk.files.prepare(ticket, sharing);
  let file = await t.desk.files.upload(ticket, incoming({ text }));
  for (let more = 2; more <= (sharing.files ?? 1); more++) {
    file = await t.desk.files.upload(ticket, incoming({ name: `${more}.txt` }));
  }
  const [owed] = await t.desk.store.announcements.due(t.now(), 1);
  if (!owed) throw new Error("nothing is owed for a finished upload");
  await t.bot.messenger.deliver(owed.announcement);
  await t.desk.store.announcements.delivered(owed.announcement.id);
  const isCard = ({ embeds }: ShownMessage) => embeds[0]?.description === file.url;
  return await t.discord.waitForMessage(isCard, { channel: given.private ? "dm" : "general", user: "ada" });
}

/** A disk whose reads wait, once they are held, until they are let go. */
function slowReads() {
  let gate = Promise.resolve();
  let waiting = 0;
  const wrapBlobs = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    async open(key, range) {
      const blob = await blobs.open(key, range);
      waiting += 1;
      await gate;
      waiting -= 1;
      return blob;
    },
  });
  return {
    wrapBlobs,
    waiting: () => waiting,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

/** The card as it is shown now. */
function cardNow(t: TestBot, { id }: ShownMessage): ShownMessage {
  const card = t.discord.messages({ channel: "general" }).find((one) => one.id === id);
  if (!card) throw new Error("the card is gone");
  return card;
}

const posts = (t: TestBot) =>
  t.discord.messages({ channel: "general" }).filter(({ attachments }) => attachments.length > 0);

const labels = ({ buttons }: ShownMessage) => buttons.map(({ label }) => label);
const fields = ({ embeds }: ShownMessage) =>
  (embeds[0]?.fields ?? []).map(({ name, value }) => [name, value]);

describe("a file that its asker could attach", () => {
  test("is posted below its card, once, at the press of a button", async () => {
    await using t = await openTestBot();
    const card = await announce(t);
    expect(labels(card)).toEqual(["Open", "Post it here", "Extend", "Delete"]);
    const pressed = t.discord.press({ user: "ada", message: card, button: "Post it here" });
    const post = await pressed.waitFor(({ attachments }) => attachments.length > 0);
    expect(post.ephemeral).toBe(false);
    expect(post.channelId).toBe(card.channelId);
    expect(post.attachments.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])).toEqual([
      ["hello.txt", "hello"],
    ]);
    await pressed.waitFor((one) => one.id === card.id && labels(one).length === 3);
  });

  test("is posted once, however quickly its button is pressed again", async () => {
    await using t = await openTestBot();
    const card = await announce(t);
    for (const user of ["ada", "ada", "mia"]) {
      t.discord.press({ user, message: card, button: "Post it here" });
    }
    await t.discord.waitForMessage((one) => one.id === card.id && labels(one).length === 3, {
      channel: "general",
    });
    await t.bot.drain();
    expect(posts(t)).toHaveLength(1);
    expect(labels(cardNow(t, card))).toEqual(["Open", "Extend", "Delete"]);
  });

  test("is not offered again by an extension while it is being posted", async () => {
    const disk = slowReads();
    await using t = await openTestBot({ wrapBlobs: disk.wrapBlobs });
    const card = await announce(t);
    const letGo = disk.hold();
    const pressed = t.discord.press({ user: "ada", message: card, button: "Post it here" });
    const posting = await pressed.waitFor((one) => labels(one).includes("Posting…"));
    const extending = t.discord.press({ user: "ada", message: posting, button: "Extend" });
    const extended = await extending.waitFor(({ history }) => history.length > posting.history.length);
    expect(labels(extended)).toEqual(["Open", "Posting…", "Extend", "Delete"]);
    expect(extended.buttons[1]?.disabled).toBe(true);
    letGo();
    await pressed.waitFor((one) => one.id === card.id && labels(one).length === 3);
    expect(posts(t)).toHaveLength(1);
  });

  test("stays deleted when it is deleted while it is being posted, and nobody is alarmed", async () => {
    const disk = slowReads();
    await using t = await openTestBot({ wrapBlobs: disk.wrapBlobs });
    const card = await announce(t);
    const letGo = disk.hold();
    const pressed = t.discord.press({ user: "ada", message: card, button: "Post it here" });
    const posting = await pressed.waitFor((one) => labels(one).includes("Posting…"));
    await until("the file is read", async () => disk.waiting() === 1);
    const deleting = t.discord.press({ user: "ada", message: posting, button: "Delete" });
    await deleting.waitFor(({ buttons }) => buttons.length === 0);
    letGo();
    await t.bot.drain();
    expect(labels(cardNow(t, card))).toEqual([]);
    expect(t.lines().filter(({ level }) => level === "error")).toEqual([]);
  });

  test("is posted beside one other at most: who comes next is asked to press again", async () => {
    const disk = slowReads();
    await using t = await openTestBot({ wrapBlobs: disk.wrapBlobs });
    const cards = [
      await announce(t),
      await announce(t, { text: "two" }),
      await announce(t, { text: "three" }),
    ];
    const [first, second, third] = cards;
    if (!first || !second || !third) throw new Error("three files were announced");
    const letGo = disk.hold();
    const pressed = [first, second].map((message) =>
      t.discord.press({ user: "ada", message, button: "Post it here" }),
    );
    await Promise.all(pressed.map((one) => one.waitFor((card) => labels(card).includes("Posting…"))));
    const refused = t.discord.press({ user: "ada", message: third, button: "Post it here" });
    const refusal = await refused.waitFor(({ content }) => content.includes("posting other files"));
    expect(refusal.ephemeral).toBe(true);
    expect(labels(cardNow(t, third))).toContain("Post it here");
    letGo();
    await Promise.all(pressed.map((one) => one.waitFor(({ attachments }) => attachments.length > 0)));
    await t.discord.waitForMessage((one) => one.id === first.id && labels(one).length === 3, {
      channel: "general",
    });
    const again = t.discord.press({ user: "ada", message: third, button: "Post it here" });
    await again.waitFor(({ attachments }) => attachments.length > 0);
    expect(posts(t)).toHaveLength(3);
  });

  test("is posted by its owner or a moderator alone", async () => {
    await using t = await openTestBot();
    const card = await announce(t);
    const refused = t.discord.press({ user: "ben", message: card, button: "Post it here" });
    const refusal = await refused.waitFor(({ content }) => content.includes("may post it"));
    expect(refusal.ephemeral).toBe(true);
    const pressed = t.discord.press({ user: "mia", message: card, button: "Post it here" });
    await pressed.waitFor(({ attachments }) => attachments.length > 0);
  });

  test("is offered again when Discord did not take it", async () => {
    await using t = await openTestBot();
    const card = await announce(t);
    t.discord.fail(FOLLOW_UP, {
      kind: "status",
      status: 413,
      code: 40005,
      message: "Request entity too large",
    });
    const pressed = t.discord.press({ user: "ada", message: card, button: "Post it here" });
    await pressed.waitFor(({ content }) => content.includes("Request entity too large"));
    expect(labels(pressed.messages().find(({ id }) => id === card.id) ?? card)).toContain("Post it here");
  });

  test("keeps the offer when it is extended", async () => {
    await using t = await openTestBot();
    const card = await announce(t);
    const edits = card.history.length;
    const pressed = t.discord.press({ user: "ada", message: card, button: "Extend" });
    const extended = await pressed.waitFor(({ history }) => history.length > edits);
    expect(labels(extended)).toContain("Post it here");
  });

  test("is gone by then: the card says so", async () => {
    await using t = await openTestBot();
    const card = await announce(t);
    for (const { id } of await Array.fromAsync(t.desk.files.list({}))) await t.desk.files.remove(id, "admin");
    const pressed = t.discord.press({ user: "ada", message: card, button: "Post it here" });
    const after = await pressed.waitFor(({ buttons }) => buttons.length === 0);
    expect(after.embeds[0]?.description).toBe("This file is gone.");
  });

  test("is refused to a moderator who may attach less", async () => {
    await using t = await openTestBot();
    t.discord.setFileLimit("ada", 20_000_000);
    const card = await announce(t, { text: "x".repeat(11_000_000) });
    const pressed = t.discord.press({ user: "mia", message: card, button: "Post it here" });
    await pressed.waitFor(({ content }) => content.includes("more than you may attach here"));
    const posted = t.discord.press({ user: "ada", message: card, button: "Post it here" });
    const post = await posted.waitFor(({ attachments }) => attachments.length > 0, { timeout: 10_000 });
    expect(post.attachments[0]?.size).toBe(11_000_000);
  }, 20_000);
});

describe("it is not offered to post", () => {
  test("a file that is more than its asker could attach", async () => {
    await using t = await openTestBot();
    t.discord.setFileLimit("ada", 4);
    t.discord.setFileLimit(t.discord.guild().id, 4);
    expect(labels(await announce(t))).toEqual(["Open", "Extend", "Delete"]);
  });

  test("a file that no request to Discord could carry, whatever its asker may attach", async () => {
    await using t = await openTestBot();
    t.discord.setFileLimit("ada", 500_000_000);
    expect(labels(await announce(t, { text: "x".repeat(26_214_400) }))).toEqual(["Open", "Extend", "Delete"]);
  }, 20_000);

  test("a file that was to be private", async () => {
    await using t = await openTestBot();
    expect(labels(await announce(t, { private: true }))).toEqual(["Open", "Extend", "Delete"]);
  });

  test("a file with a password or a maximum of downloads, of which the card tells", async () => {
    await using t = await openTestBot();
    const card = await announce(t, { sharing: { password: "hunter2", maxDownloads: 1 } });
    expect(labels(card)).toEqual(["Open", "Extend", "Delete"]);
    expect(fields(card).slice(2)).toEqual([
      ["Password", "needed"],
      ["Downloads", "once"],
    ]);
    expect(JSON.stringify(card)).not.toContain("hunter2");
  });

  test("a bundle, of which the card tells", async () => {
    await using t = await openTestBot();
    const card = await announce(t, { sharing: { files: 3 } });
    expect(labels(card)).toEqual(["Open", "Extend", "Delete"]);
    expect(fields(card).slice(2)).toEqual([["Bundle", "3 files"]]);
  });

  test("an empty file, which Discord does not take", async () => {
    await using t = await openTestBot();
    expect(labels(await announce(t, { text: "" }))).toEqual(["Open", "Extend", "Delete"]);
  });
});
