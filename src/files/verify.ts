import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobIndex, BlobStores } from "./blob-ports.ts";
import { type BlobFinding, checkMovable } from "./check-blob.ts";
import { type OrphanDeps, orphansIn } from "./orphans.ts";
import type { FileIndex, FileRow } from "./ports.ts";
import { allRows } from "./rows.ts";

export interface VerifyDeps extends OrphanDeps {
  index: Pick<FileIndex, "list" | "find" | "findByUpload">;
  contents: Pick<BlobIndex, "find">;
  stores: BlobStores;
  telemetry: Pick<Telemetry, "record">;
}

/** File ids, each in at most one list; of bytes that belong to no file, their keys. */
export interface VerifyReport {
  rows_without_bytes: string[];
  bytes_without_rows: string[];
  /** The bytes are there, but not the ones that were sent. */
  corrupt: string[];
}

export interface VerifyInput {
  signal: AbortSignal;
  /** Files and bytes read so far. */
  onProgress?(files: number, bytes: number): void;
}

/**
 * Reads every stored byte again and compares: rows against blobs, blobs against rows, contents against hashes. One
 * blob at a time, in bounded memory, and none twice. What comes and goes meanwhile is not amiss. Throws WisError
 * `disk.failed` when a store does not let itself be read: then nothing can be said of what it holds.
 */
export async function verifyFiles(
  deps: VerifyDeps,
  { signal, onProgress }: VerifyInput,
): Promise<VerifyReport> {
  const report: VerifyReport = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };
  const findings = new Map<string, BlobFinding>();
  let files = 0;
  let bytes = 0;

  async function check({ blobKey }: FileRow): Promise<BlobFinding> {
    const blob = blobKey === null ? undefined : await deps.contents.find(blobKey);
    if (!blob) return "missing";
    const known = findings.get(blob.key);
    if (known) return known;
    const onRead = (read: number) => onProgress?.(files, bytes + read);
    const finding = await checkMovable(deps, blob, { signal, onRead });
    findings.set(blob.key, finding);
    bytes += blob.size;
    return finding;
  }

  for await (const row of allRows(deps.index, { states: ["ready"], members: true })) {
    signal.throwIfAborted();
    // A bundle's bytes are its files'.
    if (row.expected !== null) continue;
    const finding = await check(row);
    if (finding !== "sound" && (await isStillReady(deps.index, row.id))) {
      report[finding === "missing" ? "rows_without_bytes" : "corrupt"].push(row.id);
    }
    files += 1;
    onProgress?.(files, bytes);
  }
  const alone = new Set<string>();
  for (const place of deps.stores.places) {
    for await (const key of orphansIn(deps, place, signal)) alone.add(key);
  }
  report.bytes_without_rows.push(...alone);
  return report;
}

async function isStillReady(index: Pick<FileIndex, "find">, id: string): Promise<boolean> {
  return (await index.find(id))?.state === "ready";
}
