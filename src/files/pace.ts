/** When a sender counts as too slow. Milliseconds and bytes. */
export interface PaceRules {
  /** The longest wait for the next bytes. */
  stall: number;
  /** The rate is judged over this much waiting. */
  window: number;
  minBytesPerSecond: number;
}

/**
 * A phone that changes cells is back within half a minute. 4 KiB/s is what the slowest mobile links give; at that
 * rate the default limit of 250 MB still gets through, in 17 hours, while a sender of a byte every two seconds is
 * gone after one minute instead of holding a claim and a socket for years.
 */
export const uploadPace: PaceRules = { stall: 30_000, window: 60_000, minBytesPerSecond: 4096 };

export interface Pace {
  /** The sender is being waited for. */
  waiting(now: number): void;
  /** The wait is over, with so many bytes. */
  received(bytes: number, now: number): void;
  /** Asked from time to time: has the sender stalled, or been too slow over the last window? */
  tooSlow(now: number): boolean;
}

/** Measures a sender. Only the time spent waiting for it counts: a slow disk of ours is not its fault. */
export function createPace({ stall, window, minBytesPerSecond }: PaceRules): Pace {
  let waitingSince: number | undefined;
  let waited = 0;
  let bytes = 0;

  return {
    waiting(now) {
      waitingSince = now;
    },
    received(count, now) {
      waited += now - (waitingSince ?? now);
      waitingSince = undefined;
      bytes += count;
    },
    tooSlow(now) {
      const current = now - (waitingSince ?? now);
      if (current >= stall) return true;
      const span = waited + current;
      if (span < window) return false;
      const slow = bytes * 1000 < minBytesPerSecond * span;
      // The wait that goes on is counted in full when it ends; what of it belongs to this window is taken off here.
      waited = -current;
      bytes = 0;
      return slow;
    },
  };
}
