import type { Announcement } from "../announce/ports.ts";
import { newCapability } from "../lib/capability.ts";
import type { FileRow } from "./ports.ts";

/** Discord's ids are 17 to 20 digits; any other owner is a name that an admin gave on the command line. */
const SNOWFLAKE = /^\d{17,20}$/;

/**
 * What is owed when an upload through a link ends: a card where the link was asked for, or a direct message to an
 * owner whom Discord knows. Undefined when there is nobody to tell.
 */
export function announcementOf(
  { id, ownerId, origin }: Pick<FileRow, "id" | "ownerId" | "origin">,
  now: number,
): Announcement | undefined {
  if (origin === null && !SNOWFLAKE.test(ownerId)) return undefined;
  return { id: newCapability(), kind: "upload.finished", fileId: id, ownerId, origin, createdAt: now };
}
