import { isExpired } from "./expiry.ts";
import type { FileRow, StoredFile } from "./ports.ts";

/** The row as a file or bundle that anybody may have; undefined unless it is ready and unexpired. */
export function storedFile(row: FileRow | undefined, now: number, publicUrl: string): StoredFile | undefined {
  if (row?.state !== "ready" || isExpired(row, now)) return undefined;
  const { id, ownerId, name, size, contentType, sha256, createdAt, readyAt, expiresAt } = row;
  if (name === null || contentType === null || sha256 === null || readyAt === null || expiresAt === null) {
    return undefined;
  }
  const { title, note, passwordHash, maxDownloads, downloads, parentId, blobKey, path } = row;
  return {
    id,
    ownerId,
    name,
    size: row.bundleBytes ?? size,
    contentType,
    sha256,
    createdAt,
    readyAt,
    expiresAt,
    title,
    note,
    passwordHash,
    maxDownloads,
    downloads,
    members: row.bundleBytes === null ? undefined : (row.expected ?? 0),
    shareId: parentId ?? id,
    blobKey,
    path,
    url: `${publicUrl}/f/${id}`,
  };
}
