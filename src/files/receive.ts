import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { createAllowance } from "./allowance.ts";
import { announcementOf } from "./announcement.ts";
import { contentTypeOf } from "./content-type.ts";
import type { DiskRoom } from "./disk-room.ts";
import { endOf } from "./expiry.ts";
import type { Incoming } from "./files.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { createPace, type PaceRules } from "./pace.ts";
import type { BlobStore, BlobWriter, FileIndex, FileRow, StoredFile } from "./ports.ts";
import { pour } from "./pour.ts";
import { storedFile } from "./stored.ts";

export interface ReceiveDeps {
  index: Pick<FileIndex, "find" | "finish" | "release" | "reserve" | "usage">;
  blobs: Pick<BlobStore, "create" | "delete">;
  live: LiveUploads;
  limits: FileLimits;
  paceRules: PaceRules;
  publicUrl: string;
  /** Called when a file became ready with an announcement owed. */
  wake(): void;
  telemetry: Pick<Telemetry, "record">;
  now: Now;
}

/** An upload that has its row to itself. */
export interface Claimed {
  row: Pick<FileRow, "id" | "ownerId" | "name" | "origin">;
  room: DiskRoom;
  expireAfter: number;
  announced: boolean;
}

/** From a claimed row to a ready file; whatever goes wrong, the row is given back and no byte stays. */
export async function receive(deps: ReceiveDeps, claimed: Claimed, incoming: Incoming): Promise<StoredFile> {
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
  deps: ReceiveDeps,
  { row, expireAfter, announced }: Claimed,
  got: { size: number; sha256: string; contentType: string },
): Promise<StoredFile> {
  const { index, now, publicUrl, wake } = deps;
  const readyAt = now();
  const announcement = announced ? announcementOf(row, readyAt) : undefined;
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
async function giveBack(
  { index, blobs, telemetry }: ReceiveDeps,
  id: string,
  writer: BlobWriter | undefined,
) {
  try {
    await writer?.abort();
    // A database that lost its answer may have made the file ready all the same: then its bytes belong to it.
    const row = await index.find(id);
    if (row?.state === "ready") return;
    await blobs.delete(id);
    await index.release([id]);
  } catch (error) {
    telemetry.record(error, "giving an upload back");
  }
}

/** What becomes of a body that would not be cancelled: it is recorded. */
export function leftover(telemetry: Pick<Telemetry, "record">) {
  return (error: unknown) => void telemetry.record(error, "cancelling the body of an ended upload");
}

function tooSlow(): WisError {
  return new WisError("upload.slow", {
    say: "The file arrived too slowly, so the upload was ended.",
    hint: "Send it again over a better connection: the same link works until it expires.",
  });
}

/** The row went to somebody else, or away, while its upload was going on. */
export function withdrawn(): WisError {
  return new WisError("upload.cut", {
    say: "The upload was withdrawn while it was going on.",
    hint: "Send it again, or ask for a new link with /wis upload.",
  });
}
