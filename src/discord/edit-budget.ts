import type { Now } from "../lib/clock.ts";

/** When the streams in one place may edit, so that together they stay below Discord's rate limits. */
export interface EditBudget {
  /**
   * Books the first free slot at or after `notBefore`, milliseconds since the epoch: who books first is served first,
   * so that streams which book one slot at a time take turns.
   */
  book(place: EditPlace, notBefore: number): Booking;
}

/** What Discord counts edits by: a channel, with all that is written there, or one interaction, with its replies. */
export type EditPlace = { channelId: string } | { token: string };

export interface Booking {
  /** Milliseconds since the epoch. */
  at: number;
  /** It is not going to be used: somebody else may have it. */
  giveBack(): void;
}

// Discord lets about five edits through in five seconds and says so in its headers, which discord.js obeys. One is
// held back, so that a final text need not wait behind previews; in a channel two, for more than one may end there.
// Evenly spread, so that nobody takes a burst and lets the others wait.
const gapIn = (place: EditPlace) => Math.ceil(5_000 / ("channelId" in place ? 5 - 2 : 5 - 1));
// 50 requests a second are all that a bot has: https://discord.com/developers/docs/topics/rate-limits#global-rate-limit
// Half of them stay for final texts and for everything that is no preview.
const GAP_MS = 1_000 / 25;

/** Remembers a slot of each stream that waits, and those of the last seconds. */
export function createEditBudget({ now }: { now: Now }): EditBudget {
  const places = new Map<string, { gap: number; slots: number[] }>();
  let all: number[] = [];

  function forgetThePast(): void {
    all = all.filter((slot) => slot > now() - GAP_MS);
    for (const [key, { gap, slots }] of places) {
      const left = slots.filter((slot) => slot > now() - gap);
      if (left.length > 0) places.set(key, { gap, slots: left });
      else places.delete(key);
    }
  }

  return {
    book(place, notBefore) {
      forgetThePast();
      const key = JSON.stringify(place);
      const { gap, slots } = places.get(key) ?? { gap: gapIn(place), slots: [] };
      const at = firstFree(Math.max(now(), notBefore), [slots, gap], [all, GAP_MS]);
      places.set(key, { gap, slots: [...slots, at] });
      all.push(at);
      return {
        at,
        giveBack() {
          all = without(all, at);
          places.set(key, { gap, slots: without(places.get(key)?.slots ?? [], at) });
        },
      };
    },
  };
}

/**
 * The first moment at or after `at` that is in every one of `taken` a gap away from its slots. In whole milliseconds:
 * with fractions a moment may lie a hair within the gap that it was made to keep.
 */
function firstFree(at: number, ...taken: [slots: readonly number[], gap: number][]): number {
  for (let free = Math.ceil(at); ; ) {
    const near = taken.flatMap(([slots, gap]) =>
      slots.filter((slot) => Math.abs(slot - free) < gap).map((slot) => slot + gap),
    );
    if (near.length === 0) return free;
    free = Math.min(...near);
  }
}

function without(slots: readonly number[], at: number): number[] {
  const index = slots.indexOf(at);
  return slots.filter((_, other) => other !== index);
}
