// Rows as the desk hands them in, for tests that ask the database itself.
import { createHash } from "node:crypto";
import type { BlobPlace } from "../files/blob-ports.ts";
import type { Arrived, Claim, FileIndex, FileRow, NewFile } from "../files/ports.ts";
import { hashCapability, newCapability } from "../lib/capability.ts";

export const owner = "100000000000000001";
export const roomy = { maxFiles: 1000, maxBytes: 1e12 };

export const noWishes = {
  title: null,
  note: null,
  passwordHash: null,
  maxDownloads: null,
  expireAfter: null,
};

const empty = {
  ownerId: owner,
  name: null,
  contentType: null,
  size: 0,
  length: null,
  uploadKey: null,
  origin: null,
  asker: null,
  createdAt: 1000,
} as const;

/** An open link. */
export function link(given: Partial<NewFile> = {}): NewFile & { ticketHash: string } {
  const ticketHash = hashCapability(newCapability());
  return { id: newCapability(), ...empty, linkExpiresAt: 5000, ...given, ticketHash };
}

/** An upload without a link. */
export function direct(given: Partial<NewFile> = {}): NewFile {
  const sent = { name: "a.bin", contentType: "text/plain", uploadKey: newCapability() };
  return { id: newCapability(), ...empty, ...sent, linkExpiresAt: null, ...given, ticketHash: null };
}

/** An upload of ten bytes that wants a link's place. */
export function claimOf({ ticketHash }: { ticketHash: string }, given: Partial<Claim> = {}): Claim {
  return {
    ticketHash,
    name: "a.bin",
    contentType: "text/plain",
    size: 10,
    uploadKey: newCapability(),
    length: 10,
    resumeUntil: null,
    maxBytes: 1e12,
    now: 2000,
    ...given,
  };
}

/** An upload of ten bytes that wants a place in the bundle behind a link. */
export function joinOf(bundle: { ticketHash: string }, given: Partial<Claim & { path: string }> = {}) {
  return { path: "a.bin", ...claimOf(bundle, given), ...given, id: newCapability() };
}

/** What arrived: `text`, on the disk. */
export function arrived(
  text = "0123456789",
  given: Partial<Arrived & { place: BlobPlace | undefined }> = {},
): Arrived & { place: BlobPlace | undefined } {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const times = { readyAt: 3000, expiresAt: 9000 };
  return { size: text.length, sha256, crc32: 7, ...times, place: "disk", ...given };
}

/** A row that is ready now, with the bytes of `text`. */
export async function readyFile(
  files: FileIndex,
  given: Partial<NewFile> = {},
  text?: string,
): Promise<FileRow> {
  const row = direct(given);
  await files.insert(row, roomy);
  return rowOf(await files.finish(row, arrived(text), undefined));
}

/** An open bundle for `expected` files. */
export async function openBundle(files: FileIndex, expected: number, given: Partial<NewFile> = {}) {
  const row = link(given);
  await files.insert(row, roomy);
  await files.prepare(row.ticketHash, { expected, wishes: noWishes }, 1000);
  return row;
}

/** A row, which must be there. */
export function rowOf(found: FileRow | string | undefined): FileRow {
  if (typeof found === "object") return found;
  throw new Error(`no row, but ${found}`);
}
