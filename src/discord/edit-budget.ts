import type { Now } from "../lib/clock.ts";

/** When the streams of one channel may edit, so that together they stay below its rate limit. */
export interface EditBudget {
  /** Books the next free slot in a channel; gives its time, milliseconds since the epoch, now or later. */
  book(channelId: string): number;
}

// Discord lets about five edits through in five seconds and says so in its headers, which discord.js obeys. One is
// held back, so that a final text need not wait behind previews.
const WINDOW_MS = 5_000;
const SLOTS = 5 - 1;

export function createEditBudget({ now }: { now: Now }): EditBudget {
  /** The last bookings of each channel, at most SLOTS, oldest first. */
  const booked = new Map<string, number[]>();

  function forgetQuietChannels(): void {
    for (const [channel, times] of booked) {
      if ((times.at(-1) ?? 0) + WINDOW_MS < now()) booked.delete(channel);
    }
  }

  return {
    book(channelId) {
      if (booked.size > 100) forgetQuietChannels();
      const times = booked.get(channelId) ?? [];
      const oldest = times.length < SLOTS ? undefined : times[0];
      const at = Math.max(now(), oldest === undefined ? 0 : oldest + WINDOW_MS);
      booked.set(channelId, [...times, at].slice(-SLOTS));
      return at;
    },
  };
}
