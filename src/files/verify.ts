import { createHash } from "node:crypto";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobStore, FileIndex, FileRow } from "./ports.ts";
import { allRows } from "./rows.ts";

export interface VerifyDeps {
  index: Pick<FileIndex, "list" | "find">;
  blobs: Pick<BlobStore, "open" | "keys">;
  telemetry: Pick<Telemetry, "record">;
}

/** File ids, each in at most one list. */
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
 * file at a time, in bounded memory. What comes and goes meanwhile is not amiss.
 */
export async function verifyFiles(
  deps: VerifyDeps,
  { signal, onProgress }: VerifyInput,
): Promise<VerifyReport> {
  const report: VerifyReport = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };
  let files = 0;
  let bytes = 0;
  for await (const row of allRows(deps.index, { states: ["ready"] })) {
    signal.throwIfAborted();
    const finding = await compare(deps, row, {
      signal,
      onRead: (read) => onProgress?.(files, bytes + read),
    });
    if (finding !== "sound" && (await isStillReady(deps.index, row.id))) report[finding].push(row.id);
    files += 1;
    bytes += row.size;
    onProgress?.(files, bytes);
  }
  for await (const key of deps.blobs.keys()) {
    signal.throwIfAborted();
    if (await isOrphan(deps, key)) report.bytes_without_rows.push(key);
  }
  return report;
}

type Reading = Pick<VerifyInput, "signal"> & { onRead(bytes: number): void };

async function compare(
  { blobs, telemetry }: VerifyDeps,
  row: FileRow,
  reading: Reading,
): Promise<"sound" | "rows_without_bytes" | "corrupt"> {
  try {
    const blob = await blobs.open(row.id);
    if (!blob) return "rows_without_bytes";
    return (await fingerprint(blob, reading)) === `${row.size} ${row.sha256}` ? "sound" : "corrupt";
  } catch (error) {
    reading.signal.throwIfAborted();
    telemetry.record(error, "reading a file to verify it");
    return "corrupt";
  }
}

/** Size and SHA-256, read in bounded memory. */
async function fingerprint(blob: Blob, { signal, onRead }: Reading): Promise<string> {
  const hash = createHash("sha256");
  let read = 0;
  for await (const chunk of blob.stream()) {
    signal.throwIfAborted();
    hash.update(chunk);
    read += chunk.length;
    onRead(read);
  }
  return `${read} ${hash.digest("hex")}`;
}

async function isStillReady(index: Pick<FileIndex, "find">, id: string): Promise<boolean> {
  return (await index.find(id))?.state === "ready";
}

/** A blob may precede its row's readiness and outlive it for a moment; only one that still has no row then is lost. */
async function isOrphan({ index, blobs }: VerifyDeps, key: string): Promise<boolean> {
  const row = await index.find(key);
  if (row && row.state !== "pending") return false;
  return (await blobs.open(key)) !== undefined && !(await isStillReady(index, key));
}
