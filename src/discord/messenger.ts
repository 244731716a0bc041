import type { Announcement, Messenger } from "../announce/ports.ts";
import { isWisError, WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { expiringCard, fileCard, uploadedCard } from "./cards.ts";
import { isFinalNo } from "./errors.ts";
import { fitsInline } from "./inline.ts";
import { isReachable, replyTo } from "./origin.ts";
import type { Body, Messages } from "./respond.ts";
import type { UploadProgress } from "./upload-progress.ts";

export interface MessengerDeps {
  files: Pick<Files, "get">;
  messages: Messages;
  progress: Pick<UploadProgress, "end">;
  /** How long before a file goes its owner is told, milliseconds. */
  remindBefore: number;
  telemetry: Pick<Telemetry, "record" | "log">;
  now: Now;
}

/** One way to bring something to somebody. */
type Way = () => Promise<unknown>;

/** Brings announcements to the first place that takes them: the channel, a direct message, the asker's own reply. */
export function createMessenger(deps: MessengerDeps): Messenger {
  const { files, messages, progress, remindBefore, telemetry, now } = deps;

  async function fileOf({ fileId }: Announcement): Promise<StoredFile | undefined> {
    try {
      return await files.get(fileId);
    } catch (error) {
      if (isWisError(error, "file.unknown")) return undefined;
      throw error;
    }
  }

  function directly({ id, ownerId }: Announcement, body: Body): Way[] {
    // An owner named on the command line may be nobody in Discord.
    if (!/^\d{17,20}$/.test(ownerId)) return [];
    return [async () => messages.send(await messages.directChannel(ownerId), body, { nonce: id })];
  }

  /** Where the upload link was. The card is elsewhere by now: that this fails takes nothing from it. */
  async function tellAsker({ origin }: Announcement, file: StoredFile): Promise<void> {
    if (!origin || !isReachable(origin, now())) return;
    await messages
      .edit(replyTo(origin), uploadedCard(file))
      .catch((error: unknown) => void telemetry.record(error, "saying at the upload link that it was used"));
  }

  async function finished(announcement: Announcement, file: StoredFile): Promise<void> {
    const { id, origin } = announcement;
    const isPublic = origin !== null && !origin.private;
    const post = isPublic && fitsInline(file, origin.attachmentLimit) ? "offered" : undefined;
    const elsewhere: Way[] = directly(announcement, fileCard(file));
    if (isPublic)
      elsewhere.unshift(() => messages.send(origin.channelId, fileCard(file, { post }), { nonce: id }));
    const ways: Way[] = elsewhere.map((way) => async () => {
      await way();
      await tellAsker(announcement, file);
    });
    if (origin) ways.push(() => messages.edit(replyTo(origin), fileCard(file, { post })));
    await progress.end(file.id);
    await deliverBy(ways, "The finished upload could not be announced in Discord.");
  }

  async function expiring(announcement: Announcement, file: StoredFile): Promise<void> {
    // Extended since it was owed.
    if (file.expiresAt >= announcement.createdAt + remindBefore) return;
    const ways = directly(announcement, expiringCard(file));
    try {
      await deliverBy(ways, "An owner could not be told in Discord that a file goes.");
    } catch (error) {
      if (!isWisError(error, "announce.undeliverable")) throw error;
      // Who has closed their direct messages has chosen so: nothing went wrong.
      telemetry.log.info({}, "Discord: an owner takes no direct messages, and was not told that a file goes");
    }
  }

  return {
    async deliver(announcement) {
      const file = await fileOf(announcement);
      if (!file) return;
      await (announcement.kind === "file.expiring" ? expiring : finished)(announcement, file);
    },
  };
}

/**
 * Tries one way after the other. Throws what may be otherwise later; where every way is refused, announce.undeliverable
 * with `say`.
 */
async function deliverBy(ways: Way[], say: string): Promise<void> {
  const refusals: unknown[] = [];
  for (const way of ways) {
    try {
      await way();
      return;
    } catch (error) {
      if (!isFinalNo(error)) throw error;
      refusals.push(error);
    }
  }
  throw new WisError("announce.undeliverable", {
    say,
    hint: "Allow WisBot to write in the channel, or allow direct messages from members of the server.",
    cause: new AggregateError(refusals, "no channel, direct message or reply took it"),
  });
}
