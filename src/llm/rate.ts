import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { WisError } from "../errors.ts";

/** How often each member may do something. */
export interface Rate {
  /** Counts it. Rejects with WisError rate_limited, which says when the next one is taken. */
  take(memberId: string): Promise<void>;
}

export interface RateOptions {
  /** How many in one window, which begins with a member's first. */
  most: number;
  /** Seconds. */
  window: number;
  /** What a person is told. */
  say: string;
}

/** Kept in memory: a restart forgets it. */
export function createRate({ most, window, say }: RateOptions): Rate {
  const limiter = new RateLimiterMemory({ points: most, duration: window });
  return {
    async take(memberId) {
      try {
        await limiter.consume(memberId);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
        throw new WisError("rate_limited", { say, hint: `Try again in ${seconds} seconds.` });
      }
    },
  };
}
