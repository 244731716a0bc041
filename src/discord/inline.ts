import { type APIMessage, ComponentType } from "discord.js";
import type { StoredFile } from "../files/ports.ts";

// Files that are small enough to be posted as they are, in place of their link.

/** What one request to Discord may carry, less its form's own lines: https://discord.com/developers/docs/reference#uploading-files */
export const REQUEST_LIMIT = 25 * 2 ** 20 - 64 * 2 ** 10;

/**
 * Whether a file may be posted as an attachment by who may attach `attachmentLimit` bytes (undefined: not known). Not
 * one whose sender limits who gets it, for an attachment is everybody's.
 */
export function fitsInline(file: StoredFile, attachmentLimit: number | undefined): boolean {
  const { size, members, passwordHash, maxDownloads } = file;
  const isFree = members === undefined && passwordHash === null && maxDownloads === null;
  return isFree && size > 0 && size <= Math.min(attachmentLimit ?? 0, REQUEST_LIMIT);
}

/** How a card's "Post it here" button stands: ready to be pressed, or pressed already. */
export type Offer = "offered" | "posting";

/** What a card says of posting that file; undefined when it has no button for it. */
export function offerIn(
  { components = [] }: Pick<APIMessage, "components">,
  fileId: string,
): Offer | undefined {
  const buttons = components.flatMap((one) => (one.type === ComponentType.ActionRow ? one.components : []));
  for (const one of buttons) {
    if (one.type !== ComponentType.Button || !("custom_id" in one)) continue;
    if (one.custom_id === `file:post:${fileId}`) return one.disabled ? "posting" : "offered";
  }
  return undefined;
}
