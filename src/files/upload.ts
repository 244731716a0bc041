import { WisError } from "../errors.ts";
import { abbreviate, newCapability } from "../lib/capability.ts";
import type { FileLimits } from "../members/limits.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { DiskRooms } from "./disk-room.ts";
import type { Incoming } from "./files.ts";
import { safeName } from "./name.ts";
import type { FileIndex, StoredFile } from "./ports.ts";
import { overQuota, tooLarge } from "./quota.ts";
import { leftover, type ReceiveDeps, receive, withdrawn } from "./receive.ts";
import { closedTicket, ticketKey, viewTicket } from "./ticket.ts";

export interface UploadDeps extends ReceiveDeps {
  index: FileIndex;
  rooms: DiskRooms;
  telemetry: Pick<Telemetry, "span" | "record">;
  metrics: Pick<Metrics["files"], "uploads" | "uploadedBytes">;
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

function refuseTooLarge({ length }: Incoming, limits: FileLimits) {
  if (length !== undefined && length > limits.maxFileSize) throw tooLarge(limits);
}
