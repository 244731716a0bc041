import { WisError } from "../errors.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { checkBlob } from "./check-blob.ts";
import type { BlobIndex, BlobPlace, BlobRow, BlobStores } from "./ports.ts";

export interface MigrateDeps {
  contents: Pick<BlobIndex, "find" | "inPlace" | "moved" | "total">;
  stores: BlobStores;
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
 * may run at a time.
 */
export async function migrateBlobs(
  deps: MigrateDeps,
  { to, signal, onProgress }: MigrateInput,
): Promise<MigrateReport> {
  const from: BlobPlace = to === "s3" ? "disk" : "s3";
  const total = await deps.contents.total(from);
  const report: MigrateReport = { blobs: 0, bytes: 0, failed: [] };
  let after = "";
  while (true) {
    const batch = await deps.contents.inPlace(from, after, BATCH);
    for (const blob of batch) {
      signal.throwIfAborted();
      after = blob.key;
      try {
        await move(deps, blob, {
          from,
          to,
          signal,
          onSent: (sent) => onProgress?.(report.bytes + sent, total.bytes),
        });
        report.blobs += 1;
        report.bytes += blob.size;
      } catch (error) {
        signal.throwIfAborted();
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
  for await (const key of old.keys()) {
    signal.throwIfAborted();
    if ((await contents.find(key))?.place === to) await old.delete(key);
  }
}

async function move(
  deps: MigrateDeps,
  blob: BlobRow,
  {
    from,
    to,
    signal,
    onSent,
  }: { from: BlobPlace; to: BlobPlace; signal: AbortSignal; onSent(bytes: number): void },
): Promise<void> {
  const { stores, contents } = deps;
  const source = await stores.at(from).open(blob.key);
  if (!source) throw lost();
  const writer = await stores.at(to).create(blob.key);
  try {
    let sent = 0;
    for await (const chunk of source.stream()) {
      signal.throwIfAborted();
      await writer.write(chunk);
      sent += chunk.length;
      onSent(sent);
    }
    await writer.commit();
    if ((await checkBlob(deps, { ...blob, place: to }, { signal })) !== "sound") throw lost();
  } catch (error) {
    await writer.abort();
    // Also what is committed there: no row knows of it, and nobody would look for it.
    await stores.at(to).delete(blob.key);
    throw error;
  }
  // Who reads it from its old place at this moment goes on reading: an open file outlives its name.
  const moved = await contents.moved(blob.key, from, to);
  await stores.at(moved ? from : to).delete(blob.key);
}

function lost(): WisError {
  return new WisError("file.corrupt", {
    say: "Stored bytes are missing or damaged, so they were left where they are.",
    hint: "Run wisbot files verify to see which files they belong to.",
  });
}
