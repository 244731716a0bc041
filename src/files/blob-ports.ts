import type { FileRow } from "./ports.ts";

/** Which blob store holds something. */
export type BlobPlace = "disk" | "s3";

/** Stored bytes, shared by all files that have the same. */
export interface BlobRow {
  key: string;
  sha256: string;
  size: number;
  /** Unsigned; null for what an older wisbot stored. */
  crc32: number | null;
  place: BlobPlace;
}

/** Where stored bytes are, and which have been read again. */
export interface BlobIndex {
  find(key: string): Promise<BlobRow | undefined>;
  /** Bytes of that content which are shared with whoever sends the same. */
  findContent(sha256: string, size: number): Promise<BlobRow | undefined>;
  /**
   * Says that the bytes are not what they should be: they stay with their files, and are shared with nobody new.
   * Whoever sends the same brings the replacement for all of them. Fine twice.
   */
  distrust(key: string): Promise<void>;
  /** Blobs that a replacement has left without a file, at most `limit`: their bytes are to be deleted. */
  replaced(limit: number): Promise<BlobRow[]>;
  /** Forgets of these blobs what no file has, once its bytes are gone. */
  forget(keys: string[]): Promise<void>;
  /** The blobs with a future that were checked longest ago, before `before`. */
  unchecked(before: number, limit: number): Promise<BlobRow[]>;
  checked(key: string, now: number): Promise<void>;
  /** Files that have these bytes. */
  users(key: string): Promise<FileRow[]>;
  /** Blobs with a future that are in `place`, after the key `after`, in the order of keys. */
  inPlace(place: BlobPlace, after: string, limit: number): Promise<BlobRow[]>;
  /** How much is in `place`. */
  total(place: BlobPlace): Promise<{ blobs: number; bytes: number }>;
  /** Says that the bytes are elsewhere now. False: it is gone or was moved already. */
  moved(key: string, from: BlobPlace, to: BlobPlace): Promise<boolean>;
}

/** Bytes on their way in. Nothing is visible under the key before `commit`. */
export interface BlobWriter {
  /** Resolves once the bytes are handed to the store: awaiting it is the back-pressure, and the chunk may be reused then. Throws WisError disk.full, disk.failed. */
  write(chunk: Uint8Array): Promise<void>;
  /** Durable and visible when it resolves. After a failed one nothing more can be written, but it may be tried again. */
  commit(): Promise<void>;
  /** Left unfinished when it resolves, to be resumed later (of what was not synced, a power cut may take the end); nothing more can be written or committed here. Fine twice. */
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

/** The blob stores that there are: one for new files, and others that still hold older ones. */
export interface BlobStores {
  /** Where new files go. */
  readonly place: BlobPlace;
  /** All that are configured: after a change of `place`, bytes and unfinished writes of the one before are still there. */
  readonly places: readonly BlobPlace[];
  /** Whether any of them hands out URLs. */
  readonly presigns: boolean;
  /** Throws WisError `disk.failed` for one that is not configured. */
  at(place: BlobPlace): BlobStore;
}

/** Where the bytes live, under keys that are capabilities. Implemented by store/blobs/. */
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
  /**
   * Removes unfinished writes whose key is not in use; gives how many. For the repair at start. `inUse` is asked only
   * once all of them are listed: what begins later is none of them.
   */
  sweep(inUse: (key: string) => boolean | Promise<boolean>): Promise<number>;
  /** Bytes that may still be written before the disk is full. */
  free(): Promise<number>;
  /** A URL at which whoever holds it can read the blob without us until it expires; undefined where the store has none, such as a disk. */
  presign(key: string, as: PresignAs): string | undefined;
}
