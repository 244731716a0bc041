const FIRST = 1_000;
/** A person waits for this message: even after a long outage it comes within minutes of the end. */
const LONGEST = 5 * 60_000;

/**
 * Milliseconds until the next try after `attempts` failed ones: doubling from a second to five minutes, of which
 * chance (`random` from 0 to 1) takes up to half away, so that many announcements don't come back as one herd.
 */
export function retryDelay(attempts: number, random: number): number {
  const full = Math.min(FIRST * 2 ** Math.max(attempts - 1, 0), LONGEST);
  return Math.round(full * (1 - random / 2));
}
