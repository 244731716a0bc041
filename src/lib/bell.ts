import { sleep } from "./sleep.ts";

/** Lets one loop sleep until there is work. A ring that comes while it is busy is kept for its next wait. */
export interface Bell {
  ring(): void;
  /** Waits for a ring, `ms` milliseconds or the signal, whichever comes first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** `wait`: tests turn the clock by hand. */
export function createBell(wait = sleep): Bell {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    async wait(ms, signal) {
      const over = new AbortController();
      await Promise.race([rung.promise, wait(ms, AbortSignal.any([signal, over.signal]))]);
      over.abort();
      rung = Promise.withResolvers<void>();
    },
  };
}
