import type { Now } from "../lib/clock.ts";
import type { Booking } from "./edit-budget.ts";
import { isFinalNo, rateLimitedFor } from "./errors.ts";
import type { Timers } from "./timers.ts";

/** Brings a growing text into Discord at a pace that Discord bears. The reader of the tokens never waits for it. */
export interface StreamWriter<T> {
  /** The latest wins: what was not written yet is forgotten. */
  update(value: T): void;
  /** No more previews. Resolves when none is under way. */
  stop(): Promise<void>;
  /** Writes what stays. Never dropped: waits for rate limits, tries again through an outage. To be called once. */
  finish(value: T): Promise<void>;
}

export interface StreamWriterDeps<T> {
  write(value: T, kind: "preview" | "final"): Promise<void>;
  /** Books the next moment at which a preview may be written, `notBefore` or later, milliseconds since the epoch. */
  book: (notBefore: number) => Booking;
  /** A preview that Discord said no to for good, such as to a deleted message. There are none afterwards. */
  onRefused: (error: unknown) => void;
  /** Between two previews, milliseconds. Default 1.2 s. */
  interval?: number;
  timers: Timers;
  now: Now;
}

const INTERVAL_MS = 1_200;
const LONGEST_INTERVAL_MS = 10_000;
const MOST_REFUSALS = 3;
const FINAL_RETRIES_MS = [1_000, 2_000, 4_000, 8_000, 16_000];

export function createStreamWriter<T>(deps: StreamWriterDeps<T>): StreamWriter<T> {
  const { write, book, onRefused, timers, now } = deps;
  let pending: { value: T } | undefined;
  let callOff: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let { interval = INTERVAL_MS } = deps;
  let notBefore = 0;
  let refusals = 0;
  let previewing = true;

  function schedule(): void {
    if (!previewing || !pending || callOff || writing) return;
    const { at, giveBack } = book(notBefore);
    const cancelTimer = timers.after(Math.max(0, at - now()), () => {
      callOff = undefined;
      writing = preview().finally(() => {
        writing = undefined;
        schedule();
      });
    });
    callOff = () => {
      cancelTimer();
      giveBack();
    };
  }

  async function preview(): Promise<void> {
    const current = pending;
    if (!current) return;
    pending = undefined;
    try {
      await write(current.value, "preview");
      notBefore = now() + interval;
    } catch (error) {
      // A newer value that came in the meantime is as good.
      pending ??= current;
      refused(error);
    }
  }

  function refused(error: unknown): void {
    const retryAfter = rateLimitedFor(error) ?? 0;
    refusals += 1;
    interval = Math.min(interval * 2, LONGEST_INTERVAL_MS);
    notBefore = now() + Math.max(interval, retryAfter);
    if (refusals >= MOST_REFUSALS) previewing = false;
    if (!isFinalNo(error)) return;
    previewing = false;
    onRefused(error);
  }

  async function writeFinal(value: T): Promise<void> {
    for (const wait of FINAL_RETRIES_MS) {
      try {
        return await write(value, "final");
      } catch (error) {
        if (isFinalNo(error)) throw error;
        await new Promise<void>((resolve) => timers.after(wait, resolve));
      }
    }
    await write(value, "final");
  }

  async function stop(): Promise<void> {
    previewing = false;
    callOff?.();
    callOff = undefined;
    await writing;
  }

  return {
    update(value) {
      pending = { value };
      schedule();
    },
    stop,
    async finish(value) {
      await stop();
      await writeFinal(value);
    },
  };
}
