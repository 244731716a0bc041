import type { Now } from "../../lib/clock.ts";

/** So many requests in so many milliseconds, a bucket. */
export interface RateLimit {
  limit: number;
  window: number;
}

/** By `METHOD /path/{template}`. */
export type RateLimits = Record<string, RateLimit>;

// As Discord's headers showed them; it changes them without notice and says so. Interactions' callbacks are free.
export const DISCORD_LIMITS: RateLimits = {
  "POST /channels/{channel_id}/messages": { limit: 5, window: 5000 },
  "PATCH /channels/{channel_id}/messages/{message_id}": { limit: 5, window: 5000 },
  "DELETE /channels/{channel_id}/messages/{message_id}": { limit: 5, window: 1000 },
  "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original": { limit: 5, window: 5000 },
  "POST /webhooks/{webhook_id}/{webhook_token}": { limit: 5, window: 5000 },
};

// Routes without a limit of their own: headers all the same, and no test ever meets it.
const ROOMY: RateLimit = { limit: 10_000, window: 1000 };

const GLOBAL: RateLimit = { limit: 50, window: 1000 };

export interface Verdict {
  headers: Record<string, string>;
  refused?: { retryAfter: number; global: boolean };
}

export interface Refusal {
  /** How many requests it meets; 1 unless said. */
  times?: number;
  /** Milliseconds that the bot is told to wait. */
  retryAfter: number;
  global?: boolean;
}

export interface Limits {
  /** Counts a request and says whether it passes. `bucket` names route and major parameter. */
  take(route: string, bucket: string): Verdict;
  /** From now on. */
  set(route: string, limit: RateLimit): void;
  /** Answers the next requests on a route with 429. */
  refuse(route: string, refusal: Refusal): void;
}

interface Window {
  used: number;
  endsAt: number;
}

export function createLimits(now: Now, rules: RateLimits, options: { global: boolean }): Limits {
  const limits = new Map(Object.entries(rules));
  const windows = new Map<string, Window>();
  const refusals = new Map<string, Required<Refusal>>();

  /** Gives the window with one more request in it, or over its limit. */
  function count(key: string, { window }: RateLimit): Window {
    const known = windows.get(key);
    const current = known && known.endsAt > now() ? known : { used: 0, endsAt: now() + window };
    windows.set(key, current);
    current.used += 1;
    return current;
  }

  function take(route: string, bucket: string): Verdict {
    const isCallback = route === "POST /interactions/{interaction_id}/{interaction_token}/callback";
    const forced = refusals.get(route);
    if (forced) {
      forced.times -= 1;
      if (forced.times <= 0) refusals.delete(route);
      return over(forced.retryAfter, forced.global, {});
    }
    if (isCallback) return { headers: {} };
    if (options.global) {
      const all = count("global", GLOBAL);
      if (all.used > GLOBAL.limit) return over(all.endsAt - now(), true, {});
    }
    const rule = limits.get(route) ?? ROOMY;
    const { used, endsAt } = count(`${route} ${bucket}`, rule);
    const headers = {
      "x-ratelimit-limit": String(rule.limit),
      "x-ratelimit-remaining": String(Math.max(0, rule.limit - used)),
      "x-ratelimit-reset": String(endsAt / 1000),
      "x-ratelimit-reset-after": String((endsAt - now()) / 1000),
      "x-ratelimit-bucket": Bun.hash(route).toString(16),
    };
    if (used > rule.limit) return over(endsAt - now(), false, headers);
    return { headers };
  }

  function over(retryAfter: number, global: boolean, headers: Record<string, string>): Verdict {
    return {
      refused: { retryAfter, global },
      headers: {
        ...headers,
        "retry-after": String(Math.ceil(retryAfter / 1000)),
        "x-ratelimit-scope": global ? "global" : "user",
        ...(global && { "x-ratelimit-global": "true" }),
      },
    };
  }

  return {
    take,
    set: (route, limit) => void limits.set(route, limit),
    refuse: (route, { times = 1, retryAfter, global = false }) =>
      void refusals.set(route, { times, retryAfter, global }),
  };
}
