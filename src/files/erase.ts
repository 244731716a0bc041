import { setImmediate as breathe } from "node:timers/promises";
import type { Now } from "../lib/clock.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobStore, FileIndex, FileRow } from "./ports.ts";

export interface EraseDeps {
  index: Pick<FileIndex, "remove" | "release">;
  blobs: Pick<BlobStore, "delete">;
  telemetry: Pick<Telemetry, "record">;
  metrics: Pick<Metrics["files"], "deleted" | "deletedBytes">;
  now: Now;
}

/** What erasing many did. */
export interface Erased {
  rows: FileRow[];
  /** Ids of rows whose bytes would not go; recorded, and left for the next time. */
  failed: string[];
}

/**
 * Blobs that are deleted side by side, and rows that are settled in one statement: enough to hide a disk's latency,
 * few enough to leave it to downloads and to hold the event loop for a millisecond or two.
 */
const AT_ONCE = 32;

/** Bytes first, then the row: takes `deleting` rows away for good. */
export function eraseDeleting(
  deps: EraseDeps,
  rows: FileRow[],
  reason: "expired" | "repaired",
): Promise<Erased> {
  return eraseAll(deps, rows, reason, (gone) => deps.index.remove(gone, deps.now()));
}

/** Bytes first, then the claim: undoes uploads whose process is dead. Their links work again until they expire. */
export function eraseDead(
  deps: EraseDeps,
  rows: FileRow[],
  reason: "abandoned" | "repaired",
): Promise<Erased> {
  return eraseAll(deps, rows, reason, (gone) => deps.index.release(gone));
}

async function eraseAll(
  { blobs, telemetry, metrics }: EraseDeps,
  rows: FileRow[],
  reason: "expired" | "abandoned" | "repaired",
  settle: (ids: string[]) => Promise<void>,
): Promise<Erased> {
  const erased: Erased = { rows: [], failed: [] };

  function refused(error: unknown, ids: string[]) {
    telemetry.record(error, "erasing files");
    erased.failed.push(...ids);
  }

  async function isGone({ id, name }: FileRow): Promise<boolean> {
    try {
      // An open link never had bytes.
      if (name !== null) await blobs.delete(id);
      return true;
    } catch (error) {
      refused(error, [id]);
      return false;
    }
  }

  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const some = rows.slice(from, from + AT_ONCE);
    const went = await Promise.all(some.map(isGone));
    const gone = some.filter((_, index) => went[index]);
    const ids = gone.map(({ id }) => id);
    try {
      await settle(ids);
      erased.rows.push(...gone);
    } catch (error) {
      refused(error, ids);
    }
    // SQLite answers on this very thread: without a turn in between, a thousand rows would stop the world.
    await breathe();
  }

  metrics.deleted.add(erased.rows.length, { reason });
  metrics.deletedBytes.add(bytesOf(erased.rows), { reason });
  return erased;
}

export function bytesOf(rows: Pick<FileRow, "size">[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}
