import type { Now } from "../lib/clock.ts";

type Range = { start: number; end: number };

/** Gives the bytes of a stored blob, or that inclusive range of them; undefined when it is not there. */
export type OpenBlob = (blob: { key: string; size: number }, range?: Range) => Promise<Blob | undefined>;

/** Memory for all of them together, bytes. */
const ROOM = 16 * 2 ** 20;
/** Of a larger one nearly all the time goes into sending it, wherever its bytes come from. */
const LARGEST = 256 * 2 ** 10;
/** How long one in memory is taken to be in its store as well, milliseconds. */
const TRUSTED_MS = 1_000;
/** One that nobody has asked for so long goes with the next that comes, milliseconds. */
const IDLE_MS = 60_000;
/** Blobs that were asked for once lately: only what is asked for again is worth its room. */
const REMEMBERED = 1_024;

interface Hot {
  bytes: Blob;
  /** When its store was last asked for it. */
  seenAt: number;
}

/**
 * Opens blobs, and holds small ones that are asked for again and again in memory: a picture that a whole community
 * looks at at once. What is under a key never changes; that it is still there is looked up every second.
 */
export function keepHot({ open, now }: { open: OpenBlob; now: Now }): OpenBlob {
  const hot = new Map<string, Hot>();
  const askedOnce = new Set<string>();
  let held = 0;

  function drop(key: string): void {
    held -= hot.get(key)?.bytes.size ?? 0;
    hot.delete(key);
  }

  /** Puts it last; first in line are those that nobody asks for. */
  function hold(key: string, bytes: Blob): void {
    drop(key);
    hot.set(key, { bytes, seenAt: now() });
    held += bytes.size;
    for (const [oldest, { seenAt }] of hot) {
      if (held <= ROOM && now() - seenAt < IDLE_MS) return;
      drop(oldest);
    }
  }

  function isAskedAgain(key: string): boolean {
    if (askedOnce.delete(key)) return true;
    askedOnce.add(key);
    for (const oldest of askedOnce) {
      if (askedOnce.size <= REMEMBERED) break;
      askedOnce.delete(oldest);
    }
    return false;
  }

  /** From its store, and from now on from memory. */
  async function warm(blob: { key: string; size: number }): Promise<Blob | undefined> {
    const known = hot.get(blob.key)?.bytes;
    const stored = await open(blob);
    if (stored?.size !== blob.size) {
      drop(blob.key);
      return stored;
    }
    const bytes = known ?? new Blob([await stored.bytes()]);
    if (bytes.size === blob.size) hold(blob.key, bytes);
    return bytes;
  }

  return async (blob, range) => {
    const known = hot.get(blob.key);
    if (!known && (blob.size > LARGEST || !isAskedAgain(blob.key))) return await open(blob, range);
    const isTrusted = known && now() - known.seenAt < TRUSTED_MS;
    const bytes = isTrusted ? known.bytes : await warm(blob);
    return range ? bytes?.slice(range.start, range.end + 1) : bytes;
  };
}
