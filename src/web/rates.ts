import { randomInt } from "node:crypto";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { WisError } from "../errors.ts";
import { clientKey } from "./client-address.ts";

/** How much one client may ask for. Everybody behind a proxy that is not trusted counts as one client. */
export interface Rates {
  /** Pages and downloads a minute. */
  requestsPerMinute: number;
  uploadsPerMinute: number;
  /** Links that don't exist a minute; after that every link is refused to that client. */
  guessesPerMinute: number;
  uploadsAtOnce: number;
  uploadsAtOncePerClient: number;
}

export const defaultRates: Rates = {
  requestsPerMinute: 600,
  uploadsPerMinute: 60,
  guessesPerMinute: 60,
  uploadsAtOnce: 64,
  uploadsAtOncePerClient: 8,
};

/** A limit that was hit. The edge turns `retryAfter`, whole seconds, into the header. */
export class RateLimited extends WisError {
  constructor(
    readonly retryAfter: number,
    say: string,
  ) {
    super("rate_limited", { say, hint: `Try again in ${retryAfter} s.` });
  }
}

export interface RateGate {
  /** Counts a request. [RateLimited] */
  request(client: string): Promise<void>;
  /** Counts an upload and holds a place for it until it is disposed. [RateLimited] */
  upload(client: string): Promise<Disposable>;
  /** Says that a link turned out not to exist. */
  guessed(client: string): Promise<void>;
  /** Refuses a client that has guessed too often. [RateLimited] */
  mayAskForLink(client: string): Promise<void>;
}

// Clients share this many counters, so that memory stays bounded however many addresses turn up. The seed keeps
// anybody from choosing with whom they share one.
const COUNTERS = 16_384;
const TOO_FAST = "That was too many requests from your address.";

export function createRateGate(rates: Rates = defaultRates): RateGate {
  const seed = randomInt(2 ** 32);
  const counterOf = (client: string) => String(Bun.hash.xxHash32(clientKey(client), seed) % COUNTERS);
  const requests = new RateLimiterMemory({ points: rates.requestsPerMinute, duration: 60 });
  const uploads = new RateLimiterMemory({ points: rates.uploadsPerMinute, duration: 60 });
  const guesses = new RateLimiterMemory({ points: rates.guessesPerMinute, duration: 60 });
  const places = createPlaces(rates);

  return {
    request: (client) => consume(requests, counterOf(client)),
    async upload(client) {
      await consume(uploads, counterOf(client));
      return places.take(clientKey(client));
    },
    async guessed(client) {
      await guesses.penalty(counterOf(client));
    },
    async mayAskForLink(client) {
      const counted = await guesses.get(counterOf(client));
      if (counted !== null && counted.consumedPoints >= rates.guessesPerMinute) throw tooFast(counted);
    },
  };
}

async function consume(limiter: RateLimiterMemory, counter: string): Promise<void> {
  try {
    await limiter.consume(counter);
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) throw tooFast(refusal);
    throw refusal;
  }
}

function tooFast(counted: RateLimiterRes): RateLimited {
  return new RateLimited(Math.max(1, Math.ceil(counted.msBeforeNext / 1000)), TOO_FAST);
}

/** Uploads that run now; holds no more entries than there are places. */
function createPlaces({ uploadsAtOnce, uploadsAtOncePerClient }: Rates) {
  const running = new Map<string, number>();
  let total = 0;

  function leave(key: string): void {
    total -= 1;
    const left = (running.get(key) ?? 0) - 1;
    if (left > 0) running.set(key, left);
    else running.delete(key);
  }

  return {
    take(key: string): Disposable {
      const mine = running.get(key) ?? 0;
      if (total >= uploadsAtOnce) throw new RateLimited(30, "Too many uploads are running at the moment.");
      if (mine >= uploadsAtOncePerClient) {
        throw new RateLimited(30, "Too many uploads from your address are running at the moment.");
      }
      total += 1;
      running.set(key, mine + 1);
      return { [Symbol.dispose]: () => leave(key) };
    },
  };
}
