import { randomBytes } from "node:crypto";

/**
 * Gives names that tell texts apart in this process's memory, eight bytes however long the text is. The seed keeps
 * anybody from choosing a text that is taken for another; what is written down wants a keyed hash instead.
 */
export function createFingerprint(): (text: string) => bigint {
  const seed = randomBytes(8).readBigUInt64LE();
  return (text) => Bun.hash.wyhash(text, seed);
}
