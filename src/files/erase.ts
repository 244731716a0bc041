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

/** Blobs that are deleted side by side: enough to hide a disk's latency, few enough to leave it to downloads. */
const LANES = 8;

/** Bytes first, then the row: takes `deleting` rows away for good. */
export function eraseDeleting(
  deps: EraseDeps,
  rows: FileRow[],
  reason: "expired" | "repaired",
): Promise<Erased> {
  return eraseAll(deps, rows, reason, (row) => deps.index.remove(row.id, deps.now()));
}

/** Bytes first, then the claim: undoes uploads whose process is dead. Their links work again until they expire. */
export function eraseDead(
  deps: EraseDeps,
  rows: FileRow[],
  reason: "abandoned" | "repaired",
): Promise<Erased> {
  return eraseAll(deps, rows, reason, (row) => deps.index.release(row.id));
}

async function eraseAll(
  { blobs, telemetry, metrics }: EraseDeps,
  rows: FileRow[],
  reason: "expired" | "abandoned" | "repaired",
  settle: (row: FileRow) => Promise<void>,
): Promise<Erased> {
  const erased: Erased = { rows: [], failed: [] };

  async function erase(row: FileRow) {
    try {
      // An open link never had bytes.
      if (row.name !== null) await blobs.delete(row.id);
      await settle(row);
      erased.rows.push(row);
    } catch (error) {
      telemetry.record(error, "erasing a file");
      erased.failed.push(row.id);
    }
  }

  const queue = rows.values();
  const lane = async () => {
    for (const row of queue) {
      await erase(row);
      // SQLite answers on this very thread: without a turn in between, a thousand rows would stop the world.
      await breathe();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));

  metrics.deleted.add(erased.rows.length, { reason });
  metrics.deletedBytes.add(bytesOf(erased.rows), { reason });
  return erased;
}

export function bytesOf(rows: Pick<FileRow, "size">[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}
