import { randomInt } from "node:crypto";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { WisError } from "../errors.ts";
import { clientKey } from "./client-address.ts";

/** How much one client may ask for. Everybody behind a proxy that is not trusted counts as one client. */
export interface Rates {
  /** Pages and downloads a minute. */
  requestsPerMinute: number;
  uploadsPerMinute: number;
  /** Resumable uploads that begin, a minute: each of a bundle's files does. */
  creationsPerMinute: number;
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
  creationsPerMinute: 3_000,
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

export interface Counted {
  /** Takes it back: it was not what is counted. */
  giveBack(): Promise<void>;
}

export interface RateGate {
  /** Counts a request. [RateLimited] */
  request(client: string): Promise<void>;
  /** Counts an upload and holds a place for it until it is disposed. [RateLimited] */
  upload(client: string): Promise<Disposable>;
  /** Holds a place for one part of an upload that was counted when it began. [RateLimited] */
  place(client: string): Promise<Disposable>;
  /** Counts a resumable upload that begins. [RateLimited] */
  creation(client: string): Promise<void>;
  /**
   * Counts a password before it is checked, so that no more are tried at once than one by one. Refuses a client that has
   * tried too many, and all clients for a share that too many were tried on. [RateLimited]
   */
  tryPassword(shareId: string, client: string): Promise<Counted>;
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
  const creations = new RateLimiterMemory({ points: rates.creationsPerMinute, duration: 60 });
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
    creation: (client) => consume(creations, counterOf(client)),
    async tryPassword(shareId, client) {
      const mine = await take(passwords, counterOf(client));
      try {
        const ours = await take(onShare, counterOf(shareId));
        return { giveBack: async () => void (await Promise.all([mine.giveBack(), ours.giveBack()])) };
      } catch (error) {
        await mine.giveBack();
        throw error;
      }
    },
    async guessed(client) {
      await guesses.penalty(counterOf(client));
    },
    async mayAskForLink(client) {
      const counted = await guesses.get(counterOf(client));
      if (counted !== null && counted.consumedPoints >= guesses.points) throw tooFast(counted, TOO_FAST);
    },
  };
}

async function consume(limiter: RateLimiterMemory, counter: string, say = TOO_FAST): Promise<void> {
  try {
    await limiter.consume(counter);
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) throw tooFast(refusal, say);
    throw refusal;
  }
}

/** Counts a password; one that is refused is not checked, and does not count. */
async function take(limiter: RateLimiterMemory, counter: string): Promise<Counted> {
  const giveBack = async () => void (await limiter.reward(counter));
  try {
    await consume(limiter, counter, TOO_MANY_PASSWORDS);
  } catch (error) {
    await giveBack();
    throw error;
  }
  return { giveBack };
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
