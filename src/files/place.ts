import { newCapability } from "../lib/capability.ts";
import type { FileLimits } from "../members/limits.ts";
import { contentTypeOf } from "./content-type.ts";
import type { DiskRoom, DiskRooms } from "./disk-room.ts";
import { dropBytes } from "./drop-bytes.ts";
import type { Incoming } from "./files.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { safeName } from "./name.ts";
import type { Claim, FileIndex, FileRow } from "./ports.ts";
import { overQuota, tooLarge } from "./quota.ts";
import { openTicket, type TicketDeps, ticketKey } from "./ticket.ts";
import { beingSent, bundleFull, withdrawn } from "./upload-errors.ts";
import { uploadKeyOf } from "./upload-key.ts";

export interface PlaceDeps extends TicketDeps {
  index: TicketDeps["index"] & Pick<FileIndex, "claim" | "takeOver" | "join" | "membersAt">;
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
 * with, but that nobody is sending, gives way to it, if there is room: its sender is the one who asks now, on another device or with a browser
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
  const replaced = await idleUpload(deps, open, { path, length: claim.length });
  const row = await claimPlace(deps, open, { ...claim, path, replaced });
  if (row) {
    if (replaced) await dropBytes(deps.stores, [uploadKeyOf(replaced)]);
    return row;
  }
  // Somebody else was faster, or the bundle is full, or else it is the bytes: an open link already counts as a file.
  const { expected, state, uploadKey } = await openTicket(deps, ticket);
  if (expected !== open.expected) throw withdrawn();
  if (state === "uploading" && uploadKey !== open.uploadKey) throw beingSent();
  if (!replaced && open.expected !== null && (await index.members(open.id)).length >= open.expected)
    throw bundleFull(open.expected);
  throw overQuota(await index.usage(open.ownerId), limits, false);
}

async function claimPlace(
  { index }: Pick<PlaceDeps, "index">,
  { expected }: FileRow,
  { replaced, path, ...claim }: Claim & { path: string; replaced: FileRow | undefined },
): Promise<FileRow | undefined> {
  if (replaced) return await index.takeOver({ ...claim, replaces: uploadKeyOf(replaced) });
  if (expected === null) return await index.claim(claim);
  return await index.join({ ...claim, id: newCapability(), path });
}

/** The upload that this one is another try of; its bytes go when its place is taken, and not before. */
async function idleUpload(
  { index, live }: Pick<PlaceDeps, "index" | "live">,
  open: FileRow,
  { path, length }: { path: string; length: number | null },
): Promise<FileRow | undefined> {
  const rows = open.expected === null ? [open] : await index.membersAt(open.id, path);
  // Of two files with the same name and length, one that nobody sends at this moment can't be told from the same one.
  const isSame = (row: FileRow) => open.expected === null || row.length === length;
  const [same] = rows.filter((row) => row.state === "uploading" && isSame(row));
  if (same && live.has(same.id)) throw beingSent();
  return same?.resumeUntil === null ? undefined : same;
}

/** A member's path: folders and name, each made safe by itself, at most ten deep. */
function safePath(given: string): string {
  const parts = given.split(/[/\\]/).filter((part) => part !== "" && part !== "." && part !== "..");
  return parts.slice(-MAX_DEPTH).map(safeName).join("/") || safeName(given);
}

const MAX_DEPTH = 10;

export function refuseTooLarge({ length }: Pick<Incoming, "length">, limits: FileLimits): void {
  if (length !== undefined && length > limits.maxFileSize) throw tooLarge(limits);
}
