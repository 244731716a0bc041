import { AsyncLocalStorage } from "node:async_hooks";
import { REST, type RESTOptions } from "discord.js";
import type { Now } from "../lib/clock.ts";
import { unreachable } from "./refusals.ts";

export interface RestDeps {
  /** Base of the REST API, without the version. */
  api: string;
  token: string;
  /** Discord answered 401 to the bot token: the token is worth nothing from here on. */
  onTokenRefused: () => void;
  now: Now;
}

// Discord bans an address after 10,000 answers of 401, 403 or 429 in 10 minutes: stop well before.
const INVALID_LIMIT = 5_000;
const INVALID_WINDOW_MS = 10 * 60_000;

/** What discord.js takes for a response: a fetch Response, but for the stream's methods that Bun's types add. */
type Answered = Awaited<ReturnType<RESTOptions["makeRequest"]>>;

const previews = new AsyncLocalStorage<true>();

/**
 * Runs a request that is worth nothing late: where discord.js would queue it behind a rate limit, it rejects with a
 * RateLimitError instead. `rejectOnRateLimit` sees only route and method, hence the ambient mark.
 */
export function asPreview<T>(run: () => Promise<T>): Promise<T> {
  return previews.run(true, run);
}

/** The one way to Discord's REST API: rate limits are obeyed from its headers, and the bot token stays in here. */
export function createRest({ api, token, onTokenRefused, now }: RestDeps): REST {
  const invalid = countInvalid(now);
  return new REST({
    api: api.replace(/\/+$/, ""),
    version: "10",
    rejectOnRateLimit: () => previews.getStore() === true,
    async makeRequest(url, init) {
      if (invalid.tooMany()) throw unreachable(new Error("too many refused requests in the last 10 minutes"));
      const response = await fetch(url, init as RequestInit);
      if ([401, 403, 429].includes(response.status)) invalid.add();
      const withToken = new Headers(init.headers as HeadersInit).has("authorization");
      if (response.status === 401 && withToken) onTokenRefused();
      return response as Answered;
    },
  }).setToken(token);
}

function countInvalid(now: Now) {
  let count = 0;
  let windowStart = 0;
  const roll = () => {
    if (now() - windowStart < INVALID_WINDOW_MS) return;
    windowStart = now();
    count = 0;
  };
  return {
    add() {
      roll();
      count += 1;
    },
    tooMany() {
      roll();
      return count >= INVALID_LIMIT;
    },
  };
}
