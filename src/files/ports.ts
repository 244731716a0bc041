import type { Announcement, Origin } from "../announce/ports.ts";
import type { FileLimits } from "../members/limits.ts";

/**
 * pending: an open upload link, no bytes yet. uploading: claimed by one sender. ready: downloadable.
 * deleting: hidden from everybody, its blob about to go.
 */
export type FileState = "pending" | "uploading" | "ready" | "deleting";

/** One row, one blob. Times in milliseconds since the epoch, sizes in bytes. */
export interface FileRow {
  /** The share capability, and the key of its blob. */
  id: string;
  ownerId: string;
  state: FileState;
  /** Null until the upload names it. */
  name: string | null;
  /** Reserved while uploading, exact when ready. Counts towards the owner's quota. */
  size: number;
  contentType: string | null;
  /** Hex; null until ready. */
  sha256: string | null;
  origin: Origin | null;
  createdAt: number;
  /** Null for a file that came without a link (attachment, `files add`). */
  linkExpiresAt: number | null;
  readyAt: number | null;
  /** Null until ready. */
  expiresAt: number | null;
}

/** A ready file, as every edge sees it. */
export interface StoredFile {
  id: string;
  ownerId: string;
  name: string;
  size: number;
  contentType: string;
  sha256: string;
  readyAt: number;
  expiresAt: number;
  /** Absolute address of its share page. */
  url: string;
}

/** What became of a ticket whose row is gone or done. Kept 30 days, so that an old link says what happened. */
export interface Tombstone {
  outcome: "used" | "expired";
  /** The file that a used ticket made, even when that is gone by now. */
  fileId: string;
  /** When it ended, milliseconds since the epoch. */
  at: number;
}

export interface Usage {
  /** Files and open links. */
  files: number;
  /** Stored and reserved bytes. */
  bytes: number;
}

/**
 * The rows. Every claim and quota is one conditional statement: nothing is checked first and acted on later.
 * Implemented by store/; all calls may be remote.
 */
export interface FileIndex {
  /** Inserts a row unless its owner is at `maxFiles`. Gives whether it did. `claimed`: born `uploading`, with `size` reserved against `maxBytes`. */
  insert(
    row: Pick<FileRow, "id" | "ownerId" | "name" | "size" | "origin" | "createdAt" | "linkExpiresAt"> & {
      ticketHash: string | null;
      claimed: boolean;
    },
    limits: Pick<FileLimits, "maxFiles" | "maxBytes">,
  ): Promise<boolean>;
  /** pending → uploading for one caller only, reserving `size` bytes. Undefined: not open, or over `maxBytes`. */
  claim(input: {
    ticketHash: string;
    name: string;
    size: number;
    maxBytes: number;
    now: number;
  }): Promise<FileRow | undefined>;
  /** Raises what an upload of unknown length has reserved. False: over `maxBytes`, or no longer uploading. */
  reserve(id: string, size: number, maxBytes: number): Promise<boolean>;
  /** uploading → pending with nothing reserved, so that the same links work again; rows without link are removed. All of them or none. */
  release(ids: string[]): Promise<void>;
  /** uploading → ready together with its announcement, in one transaction. Undefined: it was no longer uploading. */
  finish(
    id: string,
    done: { size: number; sha256: string; contentType: string; readyAt: number; expiresAt: number },
    announcement: Announcement | undefined,
  ): Promise<FileRow | undefined>;
  find(id: string): Promise<FileRow | undefined>;
  findByTicket(ticketHash: string): Promise<FileRow | Tombstone | undefined>;
  usage(ownerId: string): Promise<Usage>;
  /** Newest first, in pages of at most `limit`, after the row `after`, which may be gone by now. */
  list(input: {
    ownerId?: string;
    states?: FileState[];
    after?: Pick<FileRow, "id" | "createdAt">;
    limit: number;
  }): Promise<FileRow[]>;
  /** Sets a ready file's expiry. False: it is not ready. */
  setExpiry(id: string, expiresAt: number): Promise<boolean>;
  /** pending or ready → deleting. False: uploading, unknown or already deleting. */
  markDeleting(id: string): Promise<boolean>;
  /** Marks at most `limit` expired files and links as deleting and gives them; the index makes it cost by what it finds. */
  markExpired(now: number, limit: number): Promise<FileRow[]>;
  /** Rows in `deleting`, at most `limit`. */
  deleting(limit: number): Promise<FileRow[]>;
  /** Removes `deleting` rows whose blobs are gone, leaving their tickets' tombstones. All of them or none. */
  remove(ids: string[], now: number): Promise<void>;
  /** Uploads whose sender stopped reporting before `before`: crashed `files add`, a killed daemon. */
  abandoned(before: number, limit: number): Promise<FileRow[]>;
  /** Says that these uploads are still alive. */
  touch(ids: string[], now: number): Promise<void>;
  /** Drops tombstones older than `before`; gives how many, at most `limit`. */
  dropTombstones(before: number, limit: number): Promise<number>;
}

/** Bytes on their way in. Nothing is visible under the key before `commit`. */
export interface BlobWriter {
  /** Resolves once the bytes are handed to the store: awaiting it is the back-pressure, and the chunk may be reused then. Throws WisError disk.full, disk.failed. */
  write(chunk: Uint8Array): Promise<void>;
  /** Durable and visible when it resolves. After a failed one nothing more can be written, but it may be tried again. */
  commit(): Promise<void>;
  /** Durable and unfinished when it resolves, to be resumed later; nothing more can be written or committed here. Fine twice. */
  close(): Promise<void>;
  /** Removes what was written, but not what another writer has resumed since. Safe after a failed write or commit, after close, and twice. */
  abort(): Promise<void>;
}

/** How a store that hands out its own URLs shall answer to one. */
export interface PresignAs {
  /** The value of Content-Disposition. */
  disposition: string;
  contentType: string;
  expiresInSeconds: number;
}

/** Where the bytes live. Keys are file ids. Implemented by store/blobs/. */
export interface BlobStore {
  create(key: string): Promise<BlobWriter>;
  /**
   * Goes on behind the bytes of an unfinished write that a crash or `close` has left, `size` of them; undefined when
   * there is none. A writer that still has it open is closed first. Of several unfinished writes it takes the newest.
   */
  resume(key: string): Promise<{ writer: BlobWriter; size: number } | undefined>;
  /** The bytes of the unfinished write that `resume` would take, to be hashed again after a restart. */
  unfinished(key: string): Promise<Blob | undefined>;
  /** The bytes `start` to `end` inclusive, or all of them; undefined when there is no such blob. A Blob, so that a disk store can use sendfile. */
  open(key: string, range?: { start: number; end: number }): Promise<Blob | undefined>;
  /** Removes the blob and any unfinished one of that key. Fine when there is none. */
  delete(key: string): Promise<void>;
  /** All keys, committed only. For `files verify`. */
  keys(): AsyncIterable<string>;
  /** Removes unfinished writes whose key is not in use; gives how many. For the repair at start. */
  sweep(inUse: (key: string) => boolean): Promise<number>;
  /** Bytes that may still be written before the disk is full. */
  free(): Promise<number>;
  /** A URL at which whoever holds it can read the blob without us until it expires; undefined where the store has none, such as a disk. */
  presign(key: string, as: PresignAs): string | undefined;
}
