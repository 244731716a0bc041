import { isWisError, WisError } from "../errors.ts";
import { breathing } from "../lib/breathe.ts";
import { count } from "../lib/count.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobIndex, BlobPlace, BlobRow, BlobStores } from "./blob-ports.ts";
import { checkBlob } from "./check-blob.ts";
import { createDiskRooms, type DiskRooms } from "./disk-room.ts";

export interface MigrateDeps {
  contents: Pick<BlobIndex, "find" | "inPlace" | "moved" | "total">;
  stores: BlobStores;
  /** Bytes that are left free where they go. */
  minFreeDisk: number;
  telemetry: Pick<Telemetry, "record">;
}

export interface MigrateInput {
  to: BlobPlace;
  signal: AbortSignal;
  /** Bytes moved so far, and bytes in all. */
  onProgress?(bytes: number, total: number): void;
}

export interface MigrateReport {
  blobs: number;
  bytes: number;
  /** Keys of blobs that would not go; recorded, and left where they are. */
  failed: string[];
}

const BATCH = 100;

/**
 * Moves all stored bytes to another store, one blob after the other: copied, read again and compared, and only then
 * given up where it was. It may be cut at any moment and run again; files can be downloaded all the while. Only one
 * may run at a time. Throws WisError `disk.full` when there is no room for the next one.
 */
export async function migrateBlobs(
  deps: MigrateDeps,
  { to, signal, onProgress }: MigrateInput,
): Promise<MigrateReport> {
  const from: BlobPlace = to === "s3" ? "disk" : "s3";
  const total = await deps.contents.total(from);
  const rooms = createDiskRooms({
    stores: { place: to, at: (place) => deps.stores.at(place) },
    minFreeDisk: deps.minFreeDisk,
  });
  const report: MigrateReport = { blobs: 0, bytes: 0, failed: [] };
  let after = "";
  while (true) {
    const batch = await deps.contents.inPlace(from, after, BATCH);
    for (const blob of batch) {
      signal.throwIfAborted();
      after = blob.key;
      try {
        await move(deps, blob, {
          rooms,
          from,
          to,
          signal,
          onSent: (sent) => onProgress?.(report.bytes + sent, total.bytes),
        });
        report.blobs += 1;
        report.bytes += blob.size;
      } catch (error) {
        signal.throwIfAborted();
        if (isWisError(error) && error.code === "disk.full") throw noRoom(report, total.blobs, error);
        // Whoever removed it meanwhile has nothing to hear of it.
        if (!(await deps.contents.find(blob.key))) continue;
        deps.telemetry.record(error, "moving a blob to another store");
        report.failed.push(blob.key);
      }
    }
    if (batch.length < BATCH) break;
  }
  await sweepMoved(deps, { from, to, signal });
  return report;
}

/** Takes away what a run that died right after moving it has left in its old place, where nobody would look again. */
async function sweepMoved(
  { contents, stores }: MigrateDeps,
  { from, to, signal }: { from: BlobPlace; to: BlobPlace; signal: AbortSignal },
): Promise<void> {
  const old = stores.at(from);
  for await (const key of breathing(old.keys())) {
    signal.throwIfAborted();
    if ((await contents.find(key))?.place === to) await old.delete(key);
  }
}

interface Move {
  rooms: DiskRooms;
  from: BlobPlace;
  to: BlobPlace;
  signal: AbortSignal;
  onSent(bytes: number): void;
}

async function move(
  deps: MigrateDeps,
  blob: BlobRow,
  { rooms, from, to, signal, onSent }: Move,
): Promise<void> {
  const { stores, contents } = deps;
  const source = await stores.at(from).open(blob.key);
  if (!source) throw lost();
  using room = await rooms.take(blob.size);
  const writer = await stores.at(to).create(blob.key);
  try {
    let sent = 0;
    for await (const chunk of source.stream()) {
      signal.throwIfAborted();
      await writer.write(chunk);
      await room.wrote(chunk.length);
      sent += chunk.length;
      onSent(sent);
    }
    await writer.commit();
    if ((await checkBlob(deps, { ...blob, place: to }, { signal })) !== "sound") throw lost();
  } catch (error) {
    await writer.abort();
    await dropCopy(deps, blob.key, to);
    throw error;
  }
  // Who reads it from its old place at this moment goes on reading: an open file outlives its name.
  const moved = await contents.moved(blob.key, from, to);
  await stores.at(moved ? from : to).delete(blob.key);
}

/** Also what is committed there: a row knows the key, so that nobody would take it for an orphan. */
async function dropCopy({ stores, telemetry }: MigrateDeps, key: string, to: BlobPlace): Promise<void> {
  try {
    await stores.at(to).delete(key);
  } catch (error) {
    // Why it did not move says more; the next run writes over it.
    telemetry.record(error, "taking away a copy that was not whole");
  }
}

function noRoom({ blobs }: MigrateReport, all: number, cause: WisError): WisError {
  return new WisError("disk.full", {
    say: `There is no room for more: ${blobs} of ${count(all, "blob")} moved, the rest stayed where it was.`,
    hint: "Make room there, or lower files.min_free_disk, and run the command again: it goes on with what is left.",
    cause,
  });
}

function lost(): WisError {
  return new WisError("file.corrupt", {
    say: "Stored bytes are missing or damaged, so they were left where they are.",
    hint: "Run wisbot files verify to see which files they belong to.",
  });
}
