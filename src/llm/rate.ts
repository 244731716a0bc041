import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { WisError } from "../errors.ts";

/** How often each member may ask. */
export interface Rate {
  /** Counts a question. Rejects with WisError rate_limited, which says when the next one is taken. */
  take(memberId: string): Promise<void>;
}

/** `perMinute` questions within the minute that a member's first one starts. Kept in memory: a restart forgets it. */
export function createRate({ perMinute }: { perMinute: number }): Rate {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return {
    async take(memberId) {
      try {
        await limiter.consume(memberId);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        throw new WisError("rate_limited", {
          say: `That were more than ${perMinute} questions in a minute.`,
          hint: `Ask again in ${Math.max(1, Math.ceil(error.msBeforeNext / 1000))} seconds.`,
        });
      }
    },
  };
}
