import type { Origin } from "../announce/ports.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Asker, Member } from "../members/member.ts";
import type { Zip } from "./download.ts";
import type { AuditEntry, FileRow, FileState, StoredFile, TokenRow, Usage } from "./ports.ts";

/** A fresh upload link. `url` is the only place where the ticket is ever shown. */
export interface IssuedTicket {
  fileId: string;
  url: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  limits: FileLimits;
}

/** What a sender says about a share, as people write it. */
export interface Sharing {
  /** How many files will come; more than one make a bundle. */
  files?: number;
  title?: string;
  note?: string;
  password?: string;
  maxDownloads?: number;
  /** Milliseconds from the end of the upload. */
  expireAfter?: number;
}

/** A file of an open link, as far as it is here. */
export interface ArrivingFile {
  name: string;
  /** With its folders. */
  path: string;
  /** Undefined: nobody knows yet. */
  size: number | undefined;
  received: number;
  ready: boolean;
}

export type TicketView =
  | {
      state: "open";
      expiresAt: number;
      limits: FileLimits;
      usage: Usage;
      /** When the owner's next file goes by itself. */
      spaceAt: number | undefined;
      /** How many files the bundle waits for; null for a single file. */
      expected: number | null;
      arriving: ArrivingFile[];
    }
  | { state: "busy" }
  | { state: "used"; file: StoredFile | undefined }
  | { state: "expired"; at: number };

export interface Incoming {
  name: string;
  /** With folders, for a bundle. */
  path?: string | undefined;
  contentType: string | undefined;
  /** From Content-Length; undefined for a chunked body. */
  length: number | undefined;
  /** Its chunks are given away: most are freed as soon as they are stored. */
  body: ReadableStream<Uint8Array>;
  /** Aborting gives the ticket back and leaves nothing behind. */
  signal: AbortSignal;
  onProgress?: (bytes: number) => void;
}

/** An upload that may be cut and gone on with. */
export interface Resumable {
  /** Its address: whoever has it may go on with it. */
  key: string;
  /** Undefined: nobody knows yet. */
  length: number | undefined;
  /** Bytes that are here. */
  received: number;
  /** Set when it is whole. Its `url` is that of the share, which may wait for other files. */
  file: StoredFile | undefined;
}

/** A token as it is shown once: `secret` is the only place where it is ever seen. */
export interface IssuedToken extends TokenRow {
  secret: string;
}

/**
 * The file desk as the edges use it. All throw WisError with the codes in brackets; anything else is a defect.
 */
export interface Files {
  /** Mints a personal upload link. [quota.files] */
  issue(input: { ownerId: string; asker?: Asker; origin?: Origin }): Promise<IssuedTicket>;
  /** What an upload page shows. [ticket.unknown] */
  inspect(ticket: string): Promise<TicketView>;
  /** Says what the share behind an open link shall be. [ticket.*, share.invalid] */
  prepare(ticket: string, sharing: Sharing): Promise<void>;
  /** Takes the bytes for a ticket, or of one file of its bundle. [ticket.*, file.*, quota.bytes, upload.*, disk.*] */
  upload(ticket: string, incoming: Incoming): Promise<StoredFile>;
  /** Takes bytes that came without a ticket: a Discord attachment, a token's, `files add`. [quota.*, file.*, share.invalid, upload.*, disk.*] */
  add(
    input: { ownerId: string; asker?: Asker; by?: string } & Sharing,
    incoming: Incoming,
  ): Promise<StoredFile>;

  /** Begins a resumable upload through a ticket; one that nobody is sending any more gives way. [ticket.*, file.*, quota.bytes, disk.*] */
  begin(
    ticket: string,
    incoming: Pick<Incoming, "name" | "path" | "contentType" | "length">,
  ): Promise<Resumable>;
  /** How far a resumable upload is. [upload.unknown, and what `append` throws at the end of an upload] */
  progress(key: string): Promise<Resumable>;
  /** Says how long an upload is that began without a length. [upload.unknown, file.too_large, upload.length_mismatch] */
  announce(key: string, length: number): Promise<void>;
  /** Takes the bytes from `offset` on; what arrived before a cut stays. [upload.*, file.*, quota.bytes, disk.*] */
  append(key: string, offset: number, incoming: Pick<Incoming, "body" | "signal">): Promise<Resumable>;
  /** Takes an unfinished upload away. [upload.unknown, upload.finished] */
  cancel(key: string): Promise<void>;
  /** Makes a bundle of what is there, without waiting for more. [ticket.*, share.invalid] */
  close(ticket: string): Promise<StoredFile>;

  /** A ready, unexpired file or bundle. [file.unknown] */
  get(id: string): Promise<StoredFile>;
  /** The files of a bundle, in the order of their paths. */
  members(bundle: StoredFile): Promise<StoredFile[]>;
  /** The bytes, inclusive range. [file.unknown, file.corrupt when the blob is missing] */
  open(file: StoredFile, range?: { start: number; end: number }): Promise<Blob>;
  /** A bundle as one file. [file.unknown] */
  zip(bundle: StoredFile): Promise<Zip>;
  /** Whether the store itself may give bytes out. */
  readonly presigns: boolean;
  /** Where it does so for this file, if it does. */
  presign(file: StoredFile, disposition: string): Promise<string | undefined>;
  /** Checks a share's password; gives the pass that `admits` takes. [password.wrong] */
  unlock(file: StoredFile, password: string, client: string): Promise<string>;
  /** Whether somebody with these passes may see the share: it has no password, or one of them is its pass. */
  admits(file: StoredFile, passes: readonly string[]): boolean;
  /** Counts a download: once a session of `client`, however many requests it takes. [file.spent] */
  download(file: StoredFile, client: string): Promise<void>;
  /** Notes in the audit that somebody looked at it. */
  viewed(file: StoredFile, client: string): void;

  /** Newest first; every state. `members`: the files of bundles, too. */
  list(filter: { ownerId?: string; states?: FileState[]; members?: boolean }): AsyncIterable<FileRow>;
  /** One page of the shares of an owner that are ready, newest first. */
  page(
    ownerId: string,
    input: { after?: { id: string; createdAt: number }; limit: number },
  ): Promise<StoredFile[]>;
  usage(ownerId: string): Promise<Usage>;
  /** When the owner's next file goes by itself, and makes room: now, when only the clean-up has yet to come by. */
  nextExpiry(ownerId: string): Promise<number | undefined>;
  limits(ownerId: string, asker: Asker | null): FileLimits;
  /**
   * Counts from now. By default as long as its sender wished, and never less than it has: the same `expiresAt` comes back
   * when there is nothing to add. [file.unknown, forbidden]
   */
  extend(id: string, by: Member | "admin", expireAfter?: number): Promise<StoredFile>;
  /**
   * The file is gone for everybody when it resolves; bytes that would not go are tried again by the clean-up. Takes an
   * open link's `fileId` too, an upload that nobody is sending, and a file of a bundle that still waits for others.
   * [file.unknown, forbidden, ticket.busy]
   */
  remove(id: string, by: Member | "admin"): Promise<void>;
  /** What happened to files, newest first. */
  audit(input: {
    fileId?: string;
    ownerId?: string;
    before?: number;
    limit: number;
  }): Promise<(AuditEntry & { id: number })[]>;

  /** Mints an API token. [token.limit] */
  mintToken(input: { ownerId: string; asker: Asker; name: string }): Promise<IssuedToken>;
  /** Everybody's when no owner is named. */
  tokens(ownerId?: string): Promise<TokenRow[]>;
  /** Whose token this is. [token.unknown, also for one that was not used for too long] */
  tokenOf(secret: string): Promise<TokenRow>;
  /** Takes a token of this owner away; an admin anybody's. [token.unknown] */
  revokeToken(id: string, by: { ownerId: string } | "admin"): Promise<void>;
  /** Whether an owner is told before their files go. */
  reminders(ownerId: string): Promise<boolean>;
  setReminders(ownerId: string, on: boolean): Promise<void>;
}
