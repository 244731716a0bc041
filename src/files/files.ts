import type { Origin } from "../announce/ports.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Member } from "../members/member.ts";
import type { FileRow, FileState, StoredFile, Usage } from "./ports.ts";

/** A fresh upload link. `url` is the only place where the ticket is ever shown. */
export interface IssuedTicket {
  fileId: string;
  url: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  limits: FileLimits;
}

export type TicketView =
  | { state: "open"; expiresAt: number; limits: FileLimits; usage: Usage }
  | { state: "busy" }
  | { state: "used"; file: StoredFile | undefined }
  | { state: "expired"; at: number };

export interface Incoming {
  name: string;
  contentType: string | undefined;
  /** From Content-Length; undefined for a chunked body. */
  length: number | undefined;
  /** Its chunks are given away: large ones are freed as soon as they are stored. */
  body: ReadableStream<Uint8Array>;
  /** Aborting gives the ticket back and leaves nothing behind. */
  signal: AbortSignal;
  onProgress?: (bytes: number) => void;
}

/**
 * The file desk as the edges use it. All throw WisError with the codes in brackets; anything else is a defect.
 */
export interface Files {
  /** Mints a personal upload link. [quota.files] */
  issue(input: { ownerId: string; origin?: Origin }): Promise<IssuedTicket>;
  /** What an upload page shows. [ticket.unknown] */
  inspect(ticket: string): Promise<TicketView>;
  /** Takes the bytes for a ticket. [ticket.*, file.*, quota.bytes, upload.*, disk.*] */
  upload(ticket: string, incoming: Incoming): Promise<StoredFile>;
  /** Takes bytes that came without a ticket: a Discord attachment or `files add`. [quota.*, file.*, upload.*, disk.*] */
  add(input: { ownerId: string; expireAfter?: number }, incoming: Incoming): Promise<StoredFile>;
  /** A ready, unexpired file. [file.unknown] */
  get(id: string): Promise<StoredFile>;
  /** The bytes, inclusive range. [file.unknown, file.corrupt when the blob is missing] */
  open(file: StoredFile, range?: { start: number; end: number }): Promise<Blob>;
  /** Newest first; every state. */
  list(filter: { ownerId?: string; states?: FileState[] }): AsyncIterable<FileRow>;
  usage(ownerId: string): Promise<Usage>;
  limits(ownerId: string): FileLimits;
  /** Counts from now; default the configured lifetime. [file.unknown, forbidden] */
  extend(id: string, by: Member | "admin", expireAfter?: number): Promise<StoredFile>;
  /** The file is gone for everybody when it resolves, and its bytes with it. Takes an open link's `fileId` too. [file.unknown, forbidden, ticket.busy] */
  remove(id: string, by: Member | "admin"): Promise<void>;
}
