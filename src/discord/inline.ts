import { ComponentType, type Message } from "discord.js";
import type { StoredFile } from "../files/ports.ts";

// Files that are small enough to be posted as they are, in place of their link.

/** What one request to Discord may carry, less its form's own lines: https://discord.com/developers/docs/reference#uploading-files */
const REQUEST_LIMIT = 25 * 2 ** 20 - 64 * 2 ** 10;

/**
 * Whether a file may be posted as an attachment by who may attach `attachmentLimit` bytes (undefined: not known). Not
 * one whose sender limits who gets it, for an attachment is everybody's.
 */
export function fitsInline(file: StoredFile, attachmentLimit: number | undefined): boolean {
  const { size, members, passwordHash, maxDownloads } = file;
  const isFree = members === undefined && passwordHash === null && maxDownloads === null;
  return isFree && size > 0 && size <= Math.min(attachmentLimit ?? 0, REQUEST_LIMIT);
}

/** Whether this message offers to post that file. */
export function isOfferedIn({ components }: Pick<Message, "components">, fileId: string): boolean {
  const buttons = components.flatMap((one) =>
    one.type === ComponentType.ActionRow ? one.components.map(({ customId }) => customId) : [],
  );
  return buttons.includes(`file:post:${fileId}`);
}
