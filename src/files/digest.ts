import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** What is known of bytes that went by. */
export interface Digest {
  /** Bytes so far. */
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** SHA-256 in hex and the unsigned CRC-32 that a ZIP needs. Ends it. */
  end(): { sha256: string; crc32: number };
}

export function createDigest(): Digest {
  const hash = createHash("sha256");
  let checksum = 0;
  let size = 0;
  return {
    get size() {
      return size;
    },
    update(bytes) {
      hash.update(bytes);
      checksum = crc32(bytes, checksum);
      size += bytes.length;
    },
    end: () => ({ sha256: hash.digest("hex"), crc32: checksum }),
  };
}

export interface Reading {
  signal: AbortSignal;
  /** Told how many bytes were read so far, and waited for. */
  onRead?(bytes: number): void | Promise<void>;
}

/** The digest of what a blob holds, read in bounded memory. */
export async function digestOf(blob: Blob, { signal, onRead }: Reading): Promise<Digest> {
  const digest = createDigest();
  for await (const chunk of blob.stream()) {
    signal.throwIfAborted();
    digest.update(chunk);
    await onRead?.(digest.size);
  }
  return digest;
}

/**
 * Digests of uploads that wait for their next part, so that the parts before are not read again. Bounded: of the
 * longest unused nothing is kept but the bytes on the disk, and those are read again.
 */
export function createDigestCache(max = 512) {
  const waiting = new Map<string, Digest>();
  return {
    /** The digest of the first `size` bytes, if it is here. It is the caller's from now on. */
    take(key: string, size: number): Digest | undefined {
      const digest = waiting.get(key);
      waiting.delete(key);
      return digest?.size === size ? digest : undefined;
    },
    put(key: string, digest: Digest): void {
      waiting.delete(key);
      waiting.set(key, digest);
      const oldest = waiting.keys().next();
      if (waiting.size > max && !oldest.done) waiting.delete(oldest.value);
    },
    drop(key: string): void {
      waiting.delete(key);
    },
  };
}

export type DigestCache = ReturnType<typeof createDigestCache>;
