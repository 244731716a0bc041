import type { Announcement, Messenger, Origin } from "../announce/ports.ts";
import { isWisError, WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { fileCard } from "./cards.ts";
import { isFinalNo } from "./errors.ts";
import type { Messages } from "./respond.ts";

export interface MessengerDeps {
  files: Pick<Files, "get">;
  messages: Messages;
}

/** Brings announcements to the first place that takes them: the channel, a direct message, the asker's own reply. */
export function createMessenger({ files, messages }: MessengerDeps): Messenger {
  async function fileOf({ fileId }: Announcement): Promise<StoredFile | undefined> {
    try {
      return await files.get(fileId);
    } catch (error) {
      if (isWisError(error, "file.unknown")) return undefined;
      throw error;
    }
  }

  function* waysTo(
    { id, ownerId, origin }: Announcement,
    file: StoredFile,
  ): Generator<() => Promise<unknown>> {
    const card = fileCard(file);
    if (origin && !origin.private) yield () => messages.send(origin.channelId, card, id);
    // An owner named on the command line may be nobody in Discord.
    if (/^\d{17,20}$/.test(ownerId)) {
      yield async () => messages.send(await messages.directChannel(ownerId), card, id);
    }
    if (origin) yield () => messages.edit(replyTo(origin), card);
  }

  return {
    async deliver(announcement) {
      const file = await fileOf(announcement);
      if (!file) return;
      const refusals: unknown[] = [];
      for (const send of waysTo(announcement, file)) {
        try {
          await send();
          return;
        } catch (error) {
          if (!isFinalNo(error)) throw error;
          refusals.push(error);
        }
      }
      throw undeliverable(refusals);
    },
  };
}

function replyTo({ channelId, applicationId, interactionToken, interactionAt }: Origin) {
  const via = { applicationId, token: interactionToken, at: interactionAt };
  // Upload links are shown to their owner alone.
  return { channelId, messageId: undefined, ephemeral: true, via };
}

function undeliverable(refusals: unknown[]): WisError {
  return new WisError("announce.undeliverable", {
    say: "The finished upload could not be announced in Discord.",
    hint: "Allow WisBot to write in the channel, or allow direct messages from members of the server.",
    cause: new AggregateError(refusals, "no channel, direct message or reply took it"),
  });
}
