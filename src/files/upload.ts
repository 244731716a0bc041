import type { Announcement } from "../announce/ports.ts";
import { WisError } from "../errors.ts";
import { abbreviate, newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { FileLimits } from "../members/limits.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { createAllowance } from "./allowance.ts";
import { announcementOf } from "./announcement.ts";
import { contentTypeOf } from "./content-type.ts";
import type { DiskRoom, DiskRooms } from "./disk-room.ts";
import { endOf } from "./expiry.ts";
import type { Incoming } from "./files.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { safeName } from "./name.ts";
import { createPace, type PaceRules } from "./pace.ts";
import type { BlobStore, BlobWriter, FileIndex, FileRow, StoredFile } from "./ports.ts";
import { pour } from "./pour.ts";
import { overQuota, tooLarge } from "./quota.ts";
import { storedFile } from "./stored.ts";
import { closedTicket, ticketKey, viewTicket } from "./ticket.ts";

export interface UploadDeps {
  index: FileIndex;
  blobs: Pick<BlobStore, "create" | "delete">;
  rooms: DiskRooms;
  live: LiveUploads;
  limits: FileLimits;
  paceRules: PaceRules;
  publicUrl: string;
  /** Called when a file became ready with an announcement owed. */
  wake(): void;
  telemetry: Pick<Telemetry, "span" | "record">;
  metrics: Pick<Metrics["files"], "uploads" | "uploadedBytes">;
  now: Now;
}

/** Takes the bytes for a ticket: see Files.upload. */
export async function uploadWithTicket(
  deps: UploadDeps,
  ticket: string,
  incoming: Incoming,
): Promise<StoredFile> {
  const { index, limits, now } = deps;
  const size = incoming.length ?? 0;
  const refuseClosed = async () => {
    const closed = closedTicket(await viewTicket(deps, ticket));
    if (closed) throw closed;
  };
  return await counted(deps, incoming, async () => {
    await refuseClosed();
    refuseTooLarge(incoming, limits);
    using room = await deps.rooms.take(size);
    const row = await index.claim({
      ticketHash: ticketKey(ticket),
      name: safeName(incoming.name),
      size,
      maxBytes: limits.maxBytes,
      now: now(),
    });
    if (row)
      return await receive(deps, { row, room, expireAfter: limits.expireAfter, announced: true }, incoming);
    // Somebody else was faster, or else it is the bytes: an open link already counts as a file.
    await refuseClosed();
    const owner = await index.findByTicket(ticketKey(ticket));
    if (!owner || !("ownerId" in owner)) throw withdrawn();
    throw overQuota(await index.usage(owner.ownerId), limits, false);
  });
}

/** Takes bytes that came without a ticket: see Files.add. */
export async function uploadDirectly(
  deps: UploadDeps,
  { ownerId, expireAfter }: { ownerId: string; expireAfter?: number },
  incoming: Incoming,
): Promise<StoredFile> {
  const { index, limits, now } = deps;
  return await counted(deps, incoming, async () => {
    refuseTooLarge(incoming, limits);
    const size = incoming.length ?? 0;
    using room = await deps.rooms.take(size);
    const row = {
      id: newCapability(),
      ownerId,
      name: safeName(incoming.name),
      size,
      origin: null,
      createdAt: now(),
      linkExpiresAt: null,
    };
    const inserted = await index.insert({ ...row, ticketHash: null, claimed: true }, limits);
    if (!inserted) throw overQuota(await index.usage(ownerId), limits, true);
    return await receive(
      deps,
      { row, room, expireAfter: expireAfter ?? limits.expireAfter, announced: false },
      incoming,
    );
  });
}

/** One upload as a span and in the metrics; a body that was refused unread is cancelled. */
async function counted(
  { telemetry, metrics }: UploadDeps,
  { body }: Incoming,
  run: () => Promise<StoredFile>,
): Promise<StoredFile> {
  return await telemetry.span("upload", {}, async (span) => {
    try {
      const file = await run();
      span.setAttributes({ [attribute.file]: abbreviate(file.id), [attribute.fileSize]: file.size });
      metrics.uploads.add(1, { outcome: "ok" });
      metrics.uploadedBytes.add(file.size);
      return file;
    } catch (error) {
      metrics.uploads.add(1, { outcome: error instanceof WisError ? error.code : "internal" });
      if (!body.locked) void body.cancel(error).catch(leftover(telemetry));
      throw error;
    }
  });
}

interface Claimed {
  row: Pick<FileRow, "id" | "ownerId" | "name" | "origin">;
  room: DiskRoom;
  expireAfter: number;
  announced: boolean;
}

/** From a claimed row to a ready file; whatever goes wrong, the row is given back and no byte stays. */
async function receive(deps: UploadDeps, claimed: Claimed, incoming: Incoming): Promise<StoredFile> {
  const { blobs, live, now, paceRules } = deps;
  const { row } = claimed;
  const slow = new AbortController();
  const pace = createPace(paceRules);
  using _ = live.enter({ id: row.id, tooSlow: pace.tooSlow, cut: () => slow.abort(tooSlow()) });
  let writer: BlobWriter | undefined;
  try {
    writer = await blobs.create(row.id);
    const { bound, admit, complete } = createAllowance(deps, {
      id: row.id,
      ownerId: row.ownerId,
      length: incoming.length,
      room: claimed.room,
    });
    const { size, sha256 } = await pour({
      body: incoming.body,
      writer,
      signal: AbortSignal.any([incoming.signal, slow.signal]),
      pace,
      now,
      bound,
      admit,
      onProgress: incoming.onProgress,
      onLeftover: leftover(deps.telemetry),
    });
    complete(size);
    await writer.commit();
    return await finish(deps, claimed, {
      size,
      sha256,
      contentType: contentTypeOf(incoming.contentType, row.name ?? ""),
    });
  } catch (error) {
    await giveBack(deps, row.id, writer);
    throw error;
  }
}

/** Makes the row ready and what is owed for it durable, both or neither. */
async function finish(
  deps: UploadDeps,
  { row, expireAfter, announced }: Claimed,
  got: { size: number; sha256: string; contentType: string },
): Promise<StoredFile> {
  const { index, now, publicUrl, wake } = deps;
  const readyAt = now();
  const announcement: Announcement | undefined = announced ? announcementOf(row, readyAt) : undefined;
  const done = { ...got, readyAt, expiresAt: endOf(readyAt, expireAfter) };
  const file = storedFile(await index.finish(row.id, done, announcement), readyAt, publicUrl);
  if (!file) throw withdrawn();
  if (announcement) wake();
  return file;
}

/**
 * Bytes first, row last: once the row is open again, another sender may be writing under the same key. What can't be
 * undone now stays `uploading` without a heartbeat, and the clean-up or the repair at the next start undoes it.
 */
async function giveBack({ index, blobs, telemetry }: UploadDeps, id: string, writer: BlobWriter | undefined) {
  try {
    await writer?.abort();
    // A database that lost its answer may have made the file ready all the same: then its bytes belong to it.
    const row = await index.find(id);
    if (row?.state === "ready") return;
    await blobs.delete(id);
    await index.release(id);
  } catch (error) {
    telemetry.record(error, "giving an upload back");
  }
}

function leftover(telemetry: Pick<Telemetry, "record">) {
  return (error: unknown) => void telemetry.record(error, "cancelling the body of an ended upload");
}

function refuseTooLarge({ length }: Incoming, limits: FileLimits) {
  if (length !== undefined && length > limits.maxFileSize) throw tooLarge(limits);
}

function tooSlow(): WisError {
  return new WisError("upload.slow", {
    say: "The file arrived too slowly, so the upload was ended.",
    hint: "Send it again over a better connection: the same link works until it expires.",
  });
}

function withdrawn(): WisError {
  return new WisError("upload.cut", {
    say: "The upload was withdrawn while it was going on.",
    hint: "Send it again, or ask for a new link with /wis upload.",
  });
}
