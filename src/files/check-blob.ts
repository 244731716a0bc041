import type { Telemetry } from "../telemetry/ports.ts";
import { digestOf, type Reading } from "./digest.ts";
import type { BlobIndex, BlobRow, BlobStores } from "./ports.ts";

export interface CheckBlobDeps {
  stores: BlobStores;
  telemetry: Pick<Telemetry, "record">;
}

export type BlobFinding = "sound" | "missing" | "corrupt";

/** Reads stored bytes again, in bounded memory, and compares them with what was sent. */
export async function checkBlob(
  { stores, telemetry }: CheckBlobDeps,
  { key, place, size, sha256 }: BlobRow,
  reading: Reading,
): Promise<BlobFinding> {
  try {
    const blob = await stores.at(place).open(key);
    if (!blob) return "missing";
    const digest = await digestOf(blob, reading);
    return digest.size === size && digest.end().sha256 === sha256 ? "sound" : "corrupt";
  } catch (error) {
    reading.signal.throwIfAborted();
    telemetry.record(error, "reading stored bytes again");
    return "corrupt";
  }
}

/** The same for a blob that may be moved to another store just then. */
export async function checkMovable(
  deps: CheckBlobDeps & { contents: Pick<BlobIndex, "find"> },
  blob: BlobRow,
  reading: Reading,
): Promise<BlobFinding> {
  const finding = await checkBlob(deps, blob, reading);
  const found = finding === "sound" ? undefined : await deps.contents.find(blob.key);
  return found && found.place !== blob.place ? await checkBlob(deps, found, reading) : finding;
}
