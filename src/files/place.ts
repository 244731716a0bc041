import { newCapability } from "../lib/capability.ts";
import type { FileLimits } from "../members/limits.ts";
import { contentTypeOf } from "./content-type.ts";
import type { DiskRoom, DiskRooms } from "./disk-room.ts";
import { dropBytes } from "./drop-bytes.ts";
import type { Incoming } from "./files.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { safeName } from "./name.ts";
import type { FileIndex, FileRow } from "./ports.ts";
import { overQuota, tooLarge } from "./quota.ts";
import { openTicket, type TicketDeps, ticketKey } from "./ticket.ts";
import { beingSent, bundleFull, withdrawn } from "./upload-errors.ts";

export interface PlaceDeps extends TicketDeps {
  index: TicketDeps["index"] & Pick<FileIndex, "claim" | "join" | "release" | "membersAt">;
  live: Pick<LiveUploads, "has">;
  rooms: DiskRooms;
}

/**
 * Promises room on the disk for what comes through a ticket. A link that is none, or a length over its limit, is a
 * better reason to refuse than a disk that is too small for it. Throws WisError `disk.full`, `ticket.*`, `file.too_large`.
 */
export async function takeRoom(
  deps: PlaceDeps,
  ticket: string,
  { length }: Pick<Incoming, "length">,
): Promise<DiskRoom> {
  try {
    return await deps.rooms.take(length ?? 0);
  } catch (error) {
    refuseTooLarge({ length }, deps.limits(await openTicket(deps, ticket)));
    throw error;
  }
}

/** What takes a place: `resumeUntil` null for an upload that can't be gone on with. */
export interface Placed extends Pick<Incoming, "name" | "path" | "contentType" | "length"> {
  resumeUntil: number | null;
}

/**
 * Takes a place for one upload behind a ticket: the link's own, or one in its bundle. An upload that could be gone on
 * with, but that nobody is sending, gives way: its sender is the one who asks now, on another device or with a browser
 * that forgot. Throws WisError `ticket.*`, `file.too_large`, `quota.bytes`, `share.invalid`.
 */
export async function takePlace(deps: PlaceDeps, ticket: string, placed: Placed): Promise<FileRow> {
  const { index, now } = deps;
  const open = await openTicket(deps, ticket);
  const limits = deps.limits(open);
  refuseTooLarge(placed, limits);
  const name = safeName(placed.name);
  const claim = {
    ticketHash: ticketKey(ticket),
    name,
    contentType: contentTypeOf(placed.contentType, name),
    size: placed.length ?? 0,
    length: placed.length ?? null,
    uploadKey: newCapability(),
    resumeUntil: placed.resumeUntil,
    maxBytes: limits.maxBytes,
    now: now(),
  };
  const path = safePath(placed.path ?? placed.name);
  await giveWay(deps, open, { path, length: claim.length });
  const row =
    open.expected === null
      ? await index.claim(claim)
      : await index.join({ ...claim, id: newCapability(), path });
  if (row) return row;
  // Somebody else was faster, or the bundle is full, or else it is the bytes: an open link already counts as a file.
  const { expected, state } = await openTicket(deps, ticket);
  if (expected !== open.expected) throw withdrawn();
  if (state === "uploading") throw beingSent();
  if (open.expected !== null && (await index.members(open.id)).length >= open.expected)
    throw bundleFull(open.expected);
  throw overQuota(await index.usage(open.ownerId), limits, false);
}

async function giveWay(
  { index, stores, live }: PlaceDeps,
  open: FileRow,
  { path, length }: { path: string; length: number | null },
): Promise<void> {
  const rows = open.expected === null ? [open] : await index.membersAt(open.id, path);
  // Of two files with the same name and length, one that nobody sends at this moment can't be told from the same one.
  const isSame = (row: FileRow) => open.expected === null || row.length === length;
  const uploading = rows.filter((row) => row.state === "uploading" && isSame(row));
  if (uploading.some(({ id }) => live.has(id))) throw beingSent();
  await dropBytes(stores, await index.release(uploading.map(({ id }) => id)));
}

/** A member's path: folders and name, each made safe by itself, at most ten deep. */
export function safePath(given: string): string {
  const parts = given.split(/[/\\]/).filter((part) => part !== "" && part !== "." && part !== "..");
  return parts.slice(-MAX_DEPTH).map(safeName).join("/") || safeName(given);
}

const MAX_DEPTH = 10;

export function refuseTooLarge({ length }: Pick<Incoming, "length">, limits: FileLimits): void {
  if (length !== undefined && length > limits.maxFileSize) throw tooLarge(limits);
}
