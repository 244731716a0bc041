import { setImmediate as breathe } from "node:timers/promises";
import type { Now } from "../lib/clock.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { AuditTrail } from "./audit.ts";
import type { BlobPlace, BlobStores } from "./blob-ports.ts";
import { dropUpload } from "./drop-bytes.ts";
import type { FileIndex, FileRow } from "./ports.ts";

export interface EraseDeps {
  index: Pick<FileIndex, "retire" | "remove" | "release">;
  stores: BlobStores;
  telemetry: Pick<Telemetry, "record">;
  metrics: Pick<Metrics["files"], "deleted" | "deletedBytes">;
  audit: Pick<AuditTrail, "note">;
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
export async function eraseDeleting(
  deps: EraseDeps,
  rows: FileRow[],
  reason: "expired" | "removed" | "repaired",
): Promise<Erased> {
  const { index, stores, now } = deps;
  return await inBatches(deps, rows, reason, async (ids, some) => {
    const stuck = new Set<string>();
    // Of what never became a file, no row says where its bytes are.
    const neverReady = new Set(some.flatMap(({ id, blobKey }) => (blobKey === null ? id : [])));
    const retired = (await index.retire(ids)).map(({ id, key, place }) => {
      const places = neverReady.has(id) ? stores.places : [place];
      return { id, drop: () => deleteFrom(stores, places, key) };
    });
    await dropAll(deps, retired, (id) => stuck.add(id));
    const gone = ids.filter((id) => !stuck.has(id));
    await index.remove(gone, now());
    return [...stuck];
  });
}

/**
 * Undoes uploads whose process is dead: their links work again until they expire. The row first: one that comes to
 * life in this very moment, and finishes, keeps its bytes; nobody else ever writes under its key.
 */
export async function eraseDead(
  deps: EraseDeps,
  rows: FileRow[],
  { reason, silentSince }: { reason: "abandoned" | "repaired"; silentSince: number },
): Promise<Erased> {
  const { index, stores } = deps;
  return await inBatches(deps, rows, reason, async (ids) => {
    const keys = await index.release(ids, silentSince);
    // What would not go belongs to nothing now: the reconciler finds it.
    const left = keys.map((key) => ({ id: key, drop: () => dropUpload(stores, key) }));
    await dropAll(deps, left, () => {});
    return [];
  });
}

/** Settles rows some at a time; `settle` gives the ids of those that would not go. */
async function inBatches(
  { telemetry, metrics }: EraseDeps,
  rows: FileRow[],
  reason: "expired" | "removed" | "abandoned" | "repaired",
  settle: (ids: string[], rows: FileRow[]) => Promise<string[]>,
): Promise<Erased> {
  const erased: Erased = { rows: [], failed: [] };
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const some = rows.slice(from, from + AT_ONCE);
    const ids = some.map(({ id }) => id);
    const failed = await settle(ids, some).catch((error: unknown) => {
      telemetry.record(error, "erasing files");
      return ids;
    });
    erased.failed.push(...failed);
    erased.rows.push(...some.filter(({ id }) => !failed.includes(id)));
    // SQLite answers on this very thread: without a turn in between, a thousand rows would stop the world.
    await breathe();
  }
  metrics.deleted.add(erased.rows.length, { reason });
  metrics.deletedBytes.add(bytesOf(erased.rows), { reason });
  return erased;
}

async function deleteFrom(stores: BlobStores, places: readonly BlobPlace[], key: string): Promise<void> {
  for (const place of places) await stores.at(place).delete(key);
}

async function dropAll(
  { telemetry }: Pick<EraseDeps, "telemetry">,
  blobs: { id: string; drop(): Promise<void> }[],
  onStuck: (id: string) => void,
): Promise<void> {
  await Promise.all(
    blobs.map(async ({ id, drop }) => {
      try {
        await drop();
      } catch (error) {
        telemetry.record(error, "erasing files");
        onStuck(id);
      }
    }),
  );
}

export function bytesOf(rows: Pick<FileRow, "size">[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}
