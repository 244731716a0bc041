import type { TusBody, TusOpts } from "@uppy/tus";
import type { Meta } from "./upload-item.ts";

type Options = TusOpts<Meta, TusBody>;

// Cloudflare takes at most 100 MB in one request.
const CHUNK_BYTES = 64 * 2 ** 20;
const AT_ONCE = 4;
const SECOND = 1000;
// An hour without an answer is bridged; a server that answers with its own failure is asked for about two minutes.
const RETRY_DELAYS = [0, 1, 3, 5, 10, 20, 30, ...Array<number>(60).fill(60)].map((delay) => delay * SECOND);
const TRIES_WHEN_ANSWERED = 8;

/** Nobody answered, or a proxy answered for a server that is away. */
const AWAY = [0, 502, 503, 504];
/** Passes by itself: slow or broken off, not the offset the server has, locked by the try before, too many, a failure. */
const PASSING = [408, 409, 423, 429, 500];
/** Answers to "how far is it" after which it has to be sent from its beginning. */
const GONE = [403, 404, 410];

export interface TusDeps {
  /** The connection is away; the upload goes on by itself. */
  lost(): void;
}

/** How files go up: in chunks, a few at once, and how often is tried again after what. */
export function tusOptions({ lost }: TusDeps): Options {
  return {
    endpoint: "/api/uploads",
    chunkSize: CHUNK_BYTES,
    limit: AT_ONCE,
    retryDelays: RETRY_DELAYS,
    onShouldRetry(error, attempt) {
      const status = error.originalResponse?.getStatus() ?? 0;
      if (!AWAY.includes(status)) return PASSING.includes(status) && attempt < TRIES_WHEN_ANSWERED;
      lost();
      return true;
    },
    onAfterResponse: keepPlace,
  };
}

/**
 * tus-js-client starts a file anew after any failed question about its place, also one that a proxy answered while the
 * server restarts. Thrown, it counts as no answer and is asked again.
 */
const keepPlace: NonNullable<Options["onAfterResponse"]> = (request, response) => {
  const status = response.getStatus();
  if (request.getMethod() !== "HEAD" || status < 300 || status === 423 || GONE.includes(status)) return;
  throw new Error(`asked how far the upload is, the server answered ${status}`);
};

// Keys of tus-js-client's store in localStorage.
const KEY = "tus::";
const KEEP_MS = 30 * 24 * 60 * 60 * SECOND;

/** Forgets where uploads of finished links stood: those of the one with this `id`, and whatever is older than a link can get. */
export function forgetUploads({ id, now }: { id: string | undefined; now: number }): void {
  const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
  for (const key of keys.filter((one) => one.startsWith(KEY))) {
    const stored: { creationTime?: string } = JSON.parse(localStorage.getItem(key) ?? "{}");
    const age = now - Date.parse(stored.creationTime ?? "");
    if ((id && key.startsWith(`${KEY}tus-${id}-`)) || !(age < KEEP_MS)) localStorage.removeItem(key);
  }
}
