import { isWisError, WisError } from "../errors.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobIndex, BlobRow, BlobStores } from "./blob-ports.ts";
import { digestOf, type Reading } from "./digest.ts";

export interface CheckBlobDeps {
  stores: BlobStores;
  telemetry: Pick<Telemetry, "record">;
}

export type BlobFinding = "sound" | "missing" | "corrupt";

/**
 * Reads stored bytes again, in bounded memory, and compares them with what was sent: only what was really read and
 * differs, or ends too early, is corrupt. Throws WisError `disk.failed` when the store does not let itself be read.
 */
export async function checkBlob(
  { stores }: CheckBlobDeps,
  { key, place, size, sha256 }: BlobRow,
  reading: Reading,
): Promise<BlobFinding> {
  const store = stores.at(place);
  const open = () => store.open(key).catch(unreadable);
  const blob = await open();
  if (!blob) return "missing";
  try {
    const digest = await digestOf(blob, reading);
    return digest.size === size && digest.end().sha256 === sha256 ? "sound" : "corrupt";
  } catch (error) {
    reading.signal.throwIfAborted();
    // Bytes that are removed while they are read break off too.
    if (!(await open())) return "missing";
    return unreadable(error);
  }
}

function unreadable(cause: unknown): never {
  if (isWisError(cause)) throw cause;
  throw new WisError("disk.failed", {
    say: "Stored bytes could not be read.",
    hint: "Try again later; if it keeps failing, the admin should run wisbot doctor.",
    cause,
  });
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
