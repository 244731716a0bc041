import type { Now } from "../lib/clock.ts";

/** When the streams in one place may edit, so that together they stay below its rate limit. */
export interface EditBudget {
  /**
   * Books the first free slot at or after `notBefore`; gives its time. Milliseconds since the epoch. `place`: a
   * channel, or the token of an interaction whose reply alone is edited.
   */
  book(place: string, notBefore: number): number;
}

// Discord lets about five edits through in five seconds and says so in its headers, which discord.js obeys. One is
// held back, so that a final text need not wait behind previews.
const WINDOW_MS = 5_000;
const SLOTS = 5 - 1;

export function createEditBudget({ now }: { now: Now }): EditBudget {
  /** Bookings of each place, past ones as long as they matter. */
  const booked = new Map<string, number[]>();

  function forgetThePast(): void {
    for (const [place, slots] of booked) {
      const left = slots.filter((slot) => slot > now() - WINDOW_MS);
      if (left.length > 0) booked.set(place, left);
      else booked.delete(place);
    }
  }

  return {
    book(place, notBefore) {
      forgetThePast();
      const slots = booked.get(place) ?? [];
      let at = Math.max(now(), notBefore);
      for (;;) {
        const near = slots.filter((slot) => Math.abs(slot - at) < WINDOW_MS);
        if (near.length < SLOTS) break;
        at = Math.min(...near) + WINDOW_MS;
      }
      booked.set(place, [...slots, at]);
      return at;
    },
  };
}
