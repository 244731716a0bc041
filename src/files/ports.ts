import type { Announcement, Origin } from "../announce/ports.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Asker } from "../members/member.ts";
import type { BlobPlace, BlobRow } from "./blob-ports.ts";

/**
 * pending: an open upload link, no bytes yet. uploading: claimed by one sender. ready: downloadable.
 * deleting: hidden from everybody, its blob about to go.
 */
export type FileState = "pending" | "uploading" | "ready" | "deleting";

/** What its sender decides about a share. Null: nothing was said. */
export interface Wishes {
  title: string | null;
  note: string | null;
  /** argon2id. */
  passwordHash: string | null;
  /** Sessions; a one-time link has 1. */
  maxDownloads: number | null;
  /** Milliseconds from the end of the upload; the admin's bounds still apply. */
  expireAfter: number | null;
}

/**
 * A file, a member of a bundle, or a bundle: one link for many files, which has no bytes of its own. Times in
 * milliseconds since the epoch, sizes in bytes.
 */
export interface FileRow extends Wishes {
  /** The share capability. */
  id: string;
  ownerId: string;
  state: FileState;
  /** Null until the upload names it. */
  name: string | null;
  /** Reserved while uploading, exact when ready, 0 for a bundle. Counts towards the owner's quota. */
  size: number;
  contentType: string | null;
  /** Hex; null until ready. A bundle's stands for all of its members. */
  sha256: string | null;
  origin: Origin | null;
  /** Whose limits apply: who asked, and where. Null: an admin on the command line. */
  asker: Asker | null;
  createdAt: number;
  /** Null for a file that came without a link (attachment, token, `files add`). */
  linkExpiresAt: number | null;
  readyAt: number | null;
  /** Null until ready. */
  expiresAt: number | null;
  /** The bundle that it is a member of. */
  parentId: string | null;
  /** How many files a bundle waits for; null for everything else. */
  expected: number | null;
  /** A member's place in its bundle, with folders. */
  path: string | null;
  /** What bytes on their way in are kept under; the address of a resumable upload. Stays when they have arrived. */
  uploadKey: string | null;
  /** How many bytes its sender announced. Null: nobody knows yet. */
  length: number | null;
  /** A cut upload may go on until then. Null: it may not. */
  resumeUntil: number | null;
  /** Where the bytes are: a key of the blob store. Null until ready, and for a bundle. */
  blobKey: string | null;
  /** Sessions so far. */
  downloads: number;
  /** A finished bundle's files together, bytes. */
  bundleBytes: number | null;
}

/** What happened to a file. `refused`: a wrong password, or no download left. */
export type AuditAction =
  | "uploaded"
  | "downloaded"
  | "viewed"
  | "extended"
  | "changed"
  | "deleted"
  | "expired"
  | "refused";

export interface AuditEntry {
  at: number;
  fileId: string;
  ownerId: string;
  name: string;
  action: AuditAction;
  /** A member's id, `admin`, or a keyed hash of an address, which can't be turned back. */
  who: string;
}

/** A ready file or bundle, as every edge sees it. */
export interface StoredFile extends Omit<Wishes, "expireAfter"> {
  id: string;
  ownerId: string;
  /** A bundle's is what its ZIP is called. */
  name: string;
  /** A bundle's is the sum of its files'. */
  size: number;
  contentType: string;
  sha256: string;
  /** With the id its place in listings. */
  createdAt: number;
  readyAt: number;
  expiresAt: number;
  /** Sessions so far. */
  downloads: number;
  /** How many files a bundle has; undefined for a file. */
  members: number | undefined;
  /** What its password and its maximum of downloads belong to: its bundle, or itself. */
  shareId: string;
  /** A key of the blob store; null for a bundle. */
  blobKey: string | null;
  path: string | null;
  /** Absolute address of its share page. */
  url: string;
}

/** What a finished upload turned out to be. */
export interface Arrived {
  size: number;
  sha256: string;
  crc32: number;
  readyAt: number;
  expiresAt: number;
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

/** A row to be. With an `uploadKey` it is born `uploading`, its size reserved; without, it is an open link. */
export interface NewFile
  extends Pick<
      FileRow,
      | "id"
      | "ownerId"
      | "name"
      | "size"
      | "origin"
      | "asker"
      | "createdAt"
      | "linkExpiresAt"
      | "uploadKey"
      | "length"
      | "contentType"
    >,
    Partial<Wishes> {
  ticketHash: string | null;
}

/** An upload that takes its place: in an open link, or as a member of the bundle that one waits for. */
export interface Claim {
  ticketHash: string;
  name: string;
  size: number;
  contentType: string;
  uploadKey: string;
  length: number | null;
  resumeUntil: number | null;
  maxBytes: number;
  now: number;
}

/**
 * The rows. Every claim and quota is one conditional statement: nothing is checked first and acted on later.
 * Implemented by store/; all calls may be remote.
 */
export interface FileIndex {
  /** Inserts a row unless its owner is at `maxFiles` or, born `uploading`, over `maxBytes`. Gives whether it did. */
  insert(row: NewFile, limits: Pick<FileLimits, "maxFiles" | "maxBytes">): Promise<boolean>;
  /**
   * Notes what the share behind an open link will be: `expected` files (more than one: a bundle) and its sender's
   * wishes. Undefined wishes: those that were said before hold. False: not open.
   */
  prepare(
    ticketHash: string,
    share: { expected: number | null; wishes: Wishes | undefined },
    now: number,
  ): Promise<boolean>;
  /** pending → uploading for one caller only, reserving `size` bytes. Undefined: not open, a bundle, or over `maxBytes`. */
  claim(input: Claim): Promise<FileRow | undefined>;
  /** One claim in the place of another, `replaces`, that could be gone on with. Undefined: it can't any more, or over `maxBytes`. */
  takeOver(input: Claim & { replaces: string }): Promise<FileRow | undefined>;
  /** Takes a new member in, `uploading`, with `size` bytes reserved. Undefined: no open bundle with a free place, or over `maxBytes`. */
  join(input: Claim & { id: string; path: string }): Promise<FileRow | undefined>;
  /** Raises what an upload of unknown length has reserved. False: over `maxBytes`, or no longer uploading. */
  reserve(id: string, size: number, maxBytes: number): Promise<boolean>;
  /** Notes the length of an upload that began without one. False: it has one, or is no longer uploading. */
  announce(id: string, length: number): Promise<boolean>;
  /**
   * uploading → pending with nothing reserved, so that the same links work again; rows without link are removed. All
   * of them or none. `silentSince`: only those that have not been heard of since. Gives the upload keys whose bytes
   * belong to nobody any more.
   */
  release(ids: string[], silentSince?: number): Promise<string[]>;
  /**
   * uploading → ready together with its announcement, in one transaction. Where the same bytes are already kept, it
   * shares them: `blobKey` of the answer is then not `uploadKey`, whose bytes are to be deleted. Else every file whose
   * bytes are the same, and not trusted, has these from now on: see BlobIndex.distrust. `withdrawn`: the row is no longer
   * uploading, or another upload has it by now. `unstored`: its own bytes are needed after all.
   */
  finish(
    upload: Pick<FileRow, "id" | "uploadKey">,
    arrived: Arrived & {
      /** Where its own bytes are; undefined when they were not kept, for the same ones are kept already. */
      place: BlobPlace | undefined;
    },
    announcement: Announcement | undefined,
  ): Promise<FileRow | "withdrawn" | "unstored">;
  /**
   * An open bundle → ready with exactly the `members` that are ready now, together with its announcement. Undefined:
   * it is not open, or has other members.
   */
  seal(
    id: string,
    bundle: {
      name: string;
      sha256: string;
      members: number;
      bytes: number;
      readyAt: number;
      expiresAt: number;
    },
    announcement: Announcement | undefined,
  ): Promise<FileRow | undefined>;
  /** An open bundle with one member alone, which is ready → that file itself, under the bundle's id. Undefined: it is not so. */
  unwrap(
    id: string,
    file: { memberId: string; readyAt: number; expiresAt: number },
    announcement: Announcement | undefined,
  ): Promise<FileRow | undefined>;
  find(id: string): Promise<FileRow | undefined>;
  findByTicket(ticketHash: string): Promise<FileRow | Tombstone | undefined>;
  findByUpload(uploadKey: string): Promise<FileRow | undefined>;
  /** A bundle's rows with what is known of their bytes, in the order of their paths. */
  members(parentId: string): Promise<{ row: FileRow; blob: BlobRow | null }[]>;
  /** The members of a bundle with that path; two files may have the same name. */
  membersAt(parentId: string, path: string): Promise<FileRow[]>;
  /** Whether all files that an open bundle waits for are ready. */
  isWhole(parentId: string): Promise<boolean>;
  usage(ownerId: string): Promise<Usage>;
  /** When the owner's next file goes by itself, and so makes room; `now` when all that they have is past its time. */
  nextExpiry(ownerId: string, now: number): Promise<number | undefined>;
  /** Newest first, without members, in pages of at most `limit`, after the row `after`, which may be gone by now. `members`: those too. */
  list(input: {
    ownerId?: string;
    states?: FileState[];
    members?: boolean;
    after?: Pick<FileRow, "id" | "createdAt">;
    limit: number;
  }): Promise<FileRow[]>;
  /** Sets a ready share's expiry, its members' too. False: it is not ready. */
  setExpiry(id: string, expiresAt: number): Promise<boolean>;
  /**
   * pending or ready → deleting, its members too; uploading only when it has not been heard of since `silentSince`.
   * False: it is being sent, unknown, already deleting, or one file of a bundle that is shared.
   */
  markDeleting(id: string, silentSince?: number): Promise<boolean>;
  /**
   * Marks at most `limit` expired files, bundles and links as deleting and gives them; the index makes it cost by what
   * it finds. Not the links of bundles that have members: see `overdueBundles` and `abandoned`.
   */
  markExpired(now: number, limit: number): Promise<FileRow[]>;
  /** Marks at most `limit` members of bundles that are `deleting`, whatever they were doing, and gives them. */
  markMembers(limit: number): Promise<FileRow[]>;
  /** Open bundles whose link has ended, or whose last file is there, with at least one ready member: to be sealed. */
  overdueBundles(now: number, limit: number): Promise<FileRow[]>;
  /** Rows in `deleting`, at most `limit`; bundles only when they have no members any more. */
  deleting(limit: number): Promise<FileRow[]>;
  /** Retires blobs that only these `deleting` rows use; gives whose bytes are to be deleted. */
  retire(ids: string[]): Promise<{ id: string; key: string; place: BlobPlace }[]>;
  /**
   * Removes `deleting` rows whose bytes are gone or shared, leaving their tickets' tombstones; a bundle goes with the
   * last of its members, and not before. All of them or none.
   */
  remove(ids: string[], now: number): Promise<void>;
  /** Uploads whose sender stopped reporting before `before` and that can't go on: crashed `files add`, a killed daemon. */
  abandoned(before: number, now: number, limit: number): Promise<FileRow[]>;
  /** Says that these uploads are still alive, and keeps what they resume by (their bundles too) for `resumeFor` milliseconds more. */
  touch(ids: string[], now: number, resumeFor: number): Promise<void>;
  /** Drops tombstones older than `before`; gives how many, at most `limit`. */
  dropTombstones(before: number, limit: number): Promise<number>;
  /**
   * Marks shares that end within `lead` milliseconds as told, and owes their owners a message, in one transaction;
   * gives how many. Not those that live for less than twice as long, nor of owners who don't want to be told.
   */
  remind(input: { lead: number; now: number; limit: number; newId(): string }): Promise<number>;
}

/** Who has downloaded what. */
export interface DownloadLog {
  /**
   * Begins a session of `who`, or goes on with one that was active since `since`. Counts it once, and never beyond the
   * maximum, in one transaction: `spent` means that none is left, `gone` that the share is not there to be downloaded.
   */
  begin(input: {
    fileId: string;
    who: string;
    now: number;
    since: number;
  }): Promise<"new" | "again" | "spent" | "gone">;
  /** Drops sessions that were last active before `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** What happened to files. Only ever added to. */
export interface AuditLog {
  add(entries: AuditEntry[]): Promise<void>;
  /** Newest first. `before`: the id of the last one of the page before. */
  list(input: {
    fileId?: string;
    ownerId?: string;
    before?: number;
    limit: number;
  }): Promise<(AuditEntry & { id: number })[]>;
  /** Drops entries older than `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** A member's key to the API. */
export interface TokenRow {
  /** Names it in lists; not the secret. */
  id: string;
  ownerId: string;
  asker: Asker;
  name: string;
  createdAt: number;
  lastUsedAt: number | null;
}

export interface TokenIndex {
  /** False: the owner has `max` already. */
  insert(row: TokenRow & { hash: string }, max: number): Promise<boolean>;
  /** Of one owner in the order in which they were made; of all, owner by owner. */
  list(ownerId?: string): Promise<TokenRow[]>;
  /** The token with this hash, unless it was last used, or made, at `idleSince` or before; notes that it was used. */
  use(hash: string, at: { now: number; idleSince: number }): Promise<TokenRow | undefined>;
  /** Of the tokens that an owner minted in this server: who they are there by now. */
  refresh(ownerId: string, asker: Asker): Promise<void>;
  /** False: there is no such token, or not of this owner if one is named. */
  remove(id: string, ownerId?: string): Promise<boolean>;
  /** Drops tokens that were last used, or made, before `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** What members have chosen. */
export interface MemberChoices {
  setReminders(ownerId: string, on: boolean): Promise<void>;
  reminders(ownerId: string): Promise<boolean>;
}
