import type { Now } from "../lib/clock.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { createAllowance } from "./allowance.ts";
import { announcementOf } from "./announcement.ts";
import type { AuditTrail } from "./audit.ts";
import type { BlobIndex, BlobStores, BlobWriter } from "./blob-ports.ts";
import { type BundleDeps, sealWhenWhole } from "./bundle.ts";
import { createDigest, type Digest } from "./digest.ts";
import type { DiskRoom } from "./disk-room.ts";
import { dropBytes } from "./drop-bytes.ts";
import { endOf } from "./expiry.ts";
import type { Incoming } from "./files.ts";
import { eraseReplaced, findKnownBytes } from "./known-bytes.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { createPace, type PaceRules } from "./pace.ts";
import type { FileIndex, FileRow, StoredFile } from "./ports.ts";
import { createSink, pour } from "./pour.ts";
import { storedFile } from "./stored.ts";
import { tooSlow, withdrawn } from "./upload-errors.ts";
import { uploadKeyOf } from "./upload-key.ts";
import { lifeOf } from "./wishes.ts";

export interface ReceiveDeps extends BundleDeps {
  index: BundleDeps["index"] & Pick<FileIndex, "finish" | "release" | "reserve" | "usage">;
  contents: Pick<BlobIndex, "find" | "findContent" | "distrust" | "replaced" | "forget">;
  stores: BlobStores;
  live: LiveUploads;
  paceRules: PaceRules;
  audit: Pick<AuditTrail, "note">;
  /** Told how far an upload is, every few hundred kilobytes: it must cost nothing. */
  onProgress(upload: FileRow, received: number): void;
  telemetry: Pick<Telemetry, "record">;
  now: Now;
}

/** An upload that has its row to itself. */
export interface Claimed {
  row: FileRow;
  limits: FileLimits;
  room: DiskRoom;
  /** Who sends it, for the audit. */
  by: string;
}

/** From a claimed row to a ready file; whatever goes wrong, the row is given back and no byte stays. */
export async function receive(deps: ReceiveDeps, claimed: Claimed, incoming: Incoming): Promise<StoredFile> {
  const { stores } = deps;
  const { row } = claimed;
  const watch = watchSender(deps, row, incoming.signal);
  using _ = watch;
  let writer: BlobWriter | undefined;
  try {
    writer = await stores.at(stores.place).create(uploadKeyOf(row));
    const digest = createDigest();
    const allowance = createAllowance(deps, { ...claimed, received: 0 });
    const onProgress = (bytes: number) => {
      incoming.onProgress?.(bytes);
      deps.onProgress(row, bytes);
    };
    const sink = createSink({ writer, digest, admit: allowance.admit, onProgress });
    await pour({
      body: incoming.body,
      sink,
      signal: watch.signal,
      pace: watch.pace,
      now: deps.now,
      bound: allowance.bound,
      onLeftover: leftover(deps.telemetry),
    });
    await sink.flush();
    allowance.complete(digest.size);
    return await settle(deps, { ...claimed, writer, digest });
  } catch (error) {
    await giveBack(deps, row.id, writer);
    throw error;
  }
}

/** A watchdog over one sender: ends it when it stalls or crawls. Disposing calls it off. */
export function watchSender(
  { live, paceRules }: Pick<ReceiveDeps, "live" | "paceRules">,
  { id }: Pick<FileRow, "id">,
  signal: AbortSignal,
) {
  const slow = new AbortController();
  const pace = createPace(paceRules);
  const entered = live.enter({ id, tooSlow: pace.tooSlow, cut: () => slow.abort(tooSlow()) });
  return {
    pace,
    signal: AbortSignal.any([signal, slow.signal]),
    [Symbol.dispose]: () => entered[Symbol.dispose](),
  };
}

/** An upload whose bytes are all here. */
export interface Whole extends Pick<Claimed, "row" | "by"> {
  /** Undefined: its bytes are committed under its upload key already. */
  writer: Pick<BlobWriter, "commit" | "abort"> | undefined;
  digest: Digest;
}

/**
 * Makes the row ready and what is owed for it durable, both or neither. Bytes that are kept already, and sound, are not
 * kept twice. Gives the file, under the address of its share.
 */
export async function settle(deps: ReceiveDeps, whole: Whole): Promise<StoredFile> {
  const { index, contents, stores, limits, publicUrl, audit, wake, now } = deps;
  const { row, writer, digest, by } = whole;
  const { size } = digest;
  const content = digest.end();
  const readyAt = now();
  // Who sent it without a link knows already, and a bundle is announced as a whole.
  const announcement = row.linkExpiresAt === null ? undefined : announcementOf(row, readyAt);
  // A link is for whoever has it, also one whose owner an admin called "admin".
  const byAdmin = by === "admin" && row.linkExpiresAt === null;
  const arrived = {
    ...content,
    size,
    readyAt,
    expiresAt: endOf(readyAt, lifeOf(row, limits(row), byAdmin)),
  };

  let committed = writer === undefined;
  let replaces = false;
  let finished: Awaited<ReturnType<FileIndex["finish"]>> = "unstored";
  while (finished === "unstored") {
    const known = await findKnownBytes(deps, content.sha256, size);
    if (!known?.sound && !committed) {
      await writer?.commit().catch(async (error: unknown) => {
        // Whoever withdrew it took its bytes away from under the writer.
        throw (await isStillSent(index, row)) ? error : withdrawn();
      });
      committed = true;
    }
    // Not before its replacement is safe.
    if (known?.sound === false) {
      await contents.distrust(known.key);
      replaces = true;
    }
    finished = await index.finish(
      row,
      { ...arrived, place: committed ? stores.place : undefined },
      announcement,
    );
  }
  if (finished === "withdrawn") {
    // Unless the same upload was made a file meanwhile, by somebody who asked how far it is.
    if (!(await contents.find(uploadKeyOf(row)))) await dropBytes(stores, [uploadKeyOf(row)]);
    throw withdrawn();
  }
  if (!committed) await writer?.abort();
  else if (finished.blobKey !== row.uploadKey) await dropBytes(stores, [uploadKeyOf(row)]);
  if (replaces) await eraseReplaced(deps, 1);
  if (announcement) wake();
  // A bundle's story is that of its files.
  audit.note({ ...row, shareId: row.parentId ?? row.id, name: row.name ?? "" }, "uploaded", by);

  const bundle = row.parentId === null ? undefined : await sealWhenWhole(deps, row.parentId);
  const file = bundle ?? storedFile(finished, readyAt, publicUrl);
  if (!file) throw withdrawn();
  return { ...file, url: `${publicUrl}/f/${row.parentId ?? row.id}` };
}

async function isStillSent(
  index: Pick<FileIndex, "find">,
  { id, uploadKey }: Pick<FileRow, "id" | "uploadKey">,
): Promise<boolean> {
  const row = await index.find(id);
  return row?.state === "uploading" && row.uploadKey === uploadKey;
}

/** What can't be undone now stays `uploading` without a heartbeat, and the clean-up or the repair at the next start undoes it. */
async function giveBack(
  { index, stores, telemetry }: Pick<ReceiveDeps, "index" | "stores" | "telemetry">,
  id: string,
  writer: BlobWriter | undefined,
) {
  try {
    await writer?.abort();
    // A database that lost its answer may have made the file ready all the same: then nothing is released.
    await dropBytes(stores, await index.release([id]));
  } catch (error) {
    telemetry.record(error, "giving an upload back");
  }
}

/** What becomes of a body that would not be cancelled: it is recorded. */
export function leftover(telemetry: Pick<Telemetry, "record">) {
  return (error: unknown) => void telemetry.record(error, "cancelling the body of an ended upload");
}
