/** Chance that can be repeated: the same seed throws the same. */
export interface Dice {
  /** A whole number from 0 to `max` inclusive. */
  upTo(max: number): number;
  /** True so often out of a hundred. */
  percent(chance: number): boolean;
  pick<T>(all: readonly T[]): T | undefined;
  /** Bytes that no other call gives. */
  bytes(size: number): Uint8Array<ArrayBuffer>;
}

const BLOCK = 4096;

export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  let given = 0;

  // mulberry32, by Tommy Ettinger: in the public domain.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  const upTo = (max: number) => Math.floor(next() * (max + 1));
  const block = Uint8Array.from({ length: BLOCK }, () => upTo(255));

  return {
    upTo,
    percent: (chance) => next() * 100 < chance,
    pick: (all) => all[upTo(all.length - 1)],
    bytes(size) {
      given += 1;
      const bytes = new Uint8Array(size);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < size; at += BLOCK) {
        bytes.set(block.subarray(0, Math.min(BLOCK, size - at)), at);
        if (size - at >= 8) view.setFloat64(at, given * 2 ** 20 + at / BLOCK);
      }
      if (size < 8) bytes.fill(given);
      return bytes;
    },
  };
}
