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
  /** Wrong passwords in ten minutes. */
  passwordsPerClient: number;
  /** Of all clients together, so that nobody gets further by having many addresses. */
  passwordsPerShare: number;
}

export const defaultRates: Rates = {
  requestsPerMinute: 600,
  uploadsPerMinute: 60,
  guessesPerMinute: 60,
  uploadsAtOnce: 256,
  uploadsAtOncePerClient: 8,
  passwordsPerClient: 10,
  passwordsPerShare: 100,
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
  /** Holds a place for one part of an upload that was counted when it began. [RateLimited] */
  place(client: string): Promise<Disposable>;
  /** Refuses a client that has typed too many wrong passwords, or any for a share that too many were tried on. [RateLimited] */
  mayTryPassword(shareId: string, client: string): Promise<void>;
  /** Says that a password was wrong. */
  wrongPassword(shareId: string, client: string): Promise<void>;
  /** Says that a link turned out not to exist. */
  guessed(client: string): Promise<void>;
  /** Refuses a client that has guessed too often. [RateLimited] */
  mayAskForLink(client: string): Promise<void>;
}

// Clients share this many counters, so that memory stays bounded however many addresses turn up. The seed keeps
// anybody from choosing with whom they share one.
const COUNTERS = 16_384;
const TOO_FAST = "That was too many requests from your address.";
const TOO_MANY_PASSWORDS = "Too many wrong passwords were tried.";

export function createRateGate(rates: Rates = defaultRates): RateGate {
  const seed = randomInt(2 ** 32);
  const counterOf = (client: string) => String(Bun.hash.xxHash32(clientKey(client), seed) % COUNTERS);
  const requests = new RateLimiterMemory({ points: rates.requestsPerMinute, duration: 60 });
  const uploads = new RateLimiterMemory({ points: rates.uploadsPerMinute, duration: 60 });
  const guesses = new RateLimiterMemory({ points: rates.guessesPerMinute, duration: 60 });
  const ten = 10 * 60;
  const passwords = new RateLimiterMemory({ points: rates.passwordsPerClient, duration: ten });
  const onShare = new RateLimiterMemory({ points: rates.passwordsPerShare, duration: ten });
  const places = createPlaces(rates);

  return {
    request: (client) => consume(requests, counterOf(client)),
    async upload(client) {
      await consume(uploads, counterOf(client));
      return places.take(clientKey(client));
    },
    place: async (client) => places.take(clientKey(client)),
    async mayTryPassword(shareId, client) {
      await refuseSpent(passwords, counterOf(client), TOO_MANY_PASSWORDS);
      await refuseSpent(onShare, counterOf(shareId), TOO_MANY_PASSWORDS);
    },
    async wrongPassword(shareId, client) {
      await passwords.penalty(counterOf(client));
      await onShare.penalty(counterOf(shareId));
    },
    async guessed(client) {
      await guesses.penalty(counterOf(client));
    },
    async mayAskForLink(client) {
      await refuseSpent(guesses, counterOf(client), TOO_FAST);
    },
  };
}

async function consume(limiter: RateLimiterMemory, counter: string): Promise<void> {
  try {
    await limiter.consume(counter);
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) throw tooFast(refusal, TOO_FAST);
    throw refusal;
  }
}

async function refuseSpent(limiter: RateLimiterMemory, counter: string, say: string): Promise<void> {
  const counted = await limiter.get(counter);
  if (counted !== null && counted.consumedPoints >= limiter.points) throw tooFast(counted, say);
}

function tooFast(counted: RateLimiterRes, say: string): RateLimited {
  return new RateLimited(Math.max(1, Math.ceil(counted.msBeforeNext / 1000)), say);
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
