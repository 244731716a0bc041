import { isExpired } from "./expiry.ts";
import type { FileRow, StoredFile } from "./ports.ts";

/** The row as a file that anybody may have; undefined unless it is ready and unexpired. */
export function storedFile(row: FileRow | undefined, now: number, publicUrl: string): StoredFile | undefined {
  if (row?.state !== "ready" || isExpired(row, now)) return undefined;
  const { id, ownerId, name, size, contentType, sha256, readyAt, expiresAt } = row;
  if (name === null || contentType === null || sha256 === null || readyAt === null || expiresAt === null) {
    return undefined;
  }
  return { id, ownerId, name, size, contentType, sha256, readyAt, expiresAt, url: `${publicUrl}/f/${id}` };
}
