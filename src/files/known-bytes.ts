import type { BlobIndex, BlobRow } from "./blob-ports.ts";
import { type CheckBlobDeps, checkMovable } from "./check-blob.ts";
import { openStored } from "./download.ts";

export interface KnownBytesDeps extends CheckBlobDeps {
  contents: Pick<BlobIndex, "find" | "findContent">;
}

export interface EraseReplacedDeps extends CheckBlobDeps {
  contents: Pick<BlobIndex, "replaced" | "forget">;
}

/** Up to here they are read again before somebody else gets them: a tenth of a second at most. Bytes. */
const READ_AGAIN = 16e6;

/**
 * The same bytes, if they are kept already, and whether they are sound: small ones are read again, of large ones it is
 * looked whether they are there and whole; what those hold is the scrub's to say.
 */
export async function findKnownBytes(
  deps: KnownBytesDeps,
  sha256: string,
  size: number,
): Promise<{ key: string; sound: boolean } | undefined> {
  const found = await deps.contents.findContent(sha256, size);
  return found && { key: found.key, sound: await isSound(deps, found) };
}

/**
 * Deletes bytes that sound ones have replaced, at most `limit` of them. Gives the keys of those that would not go:
 * recorded, and left to the clean-up.
 */
export async function eraseReplaced(
  { contents, stores, telemetry }: EraseReplacedDeps,
  limit: number,
  tried: readonly string[] = [],
): Promise<{ erased: number; failed: string[] }> {
  const replaced = await contents.replaced(limit + tried.length);
  const failed: string[] = [];
  const untried = replaced.filter(({ key }) => !tried.includes(key));
  for (const { key, place } of untried) {
    try {
      await stores.at(place).delete(key);
      await contents.forget([key]);
    } catch (error) {
      telemetry.record(error, "erasing bytes that were replaced");
      failed.push(key);
    }
  }
  return { erased: untried.length - failed.length, failed };
}

/** What can't be looked at now may be sound; but to keep what has just arrived loses nothing. */
async function isSound(deps: KnownBytesDeps, found: BlobRow): Promise<boolean> {
  try {
    if (found.size > READ_AGAIN) return (await openStored(deps)(found))?.size === found.size;
    return (await checkMovable(deps, found, { signal: new AbortController().signal })) === "sound";
  } catch (error) {
    deps.telemetry.record(error, "looking at bytes that are kept already");
    return false;
  }
}
