import type { Now } from "../../lib/clock.ts";

/** Discord's first second: https://discord.com/developers/docs/reference#snowflakes */
const EPOCH = 1_420_070_400_000n;

/** Makes Discord ids: they carry the time and only grow, however many a millisecond brings. */
export function createSnowflakes(now: Now): () => string {
  // An id from before Discord began would be negative: a clock that starts at 0 counts from this one.
  let last = 1n << 57n;
  return () => {
    const timed = (BigInt(now()) - EPOCH) << 22n;
    last = timed > last ? timed : last + 1n;
    return last.toString();
  };
}
