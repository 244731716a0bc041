import type { FileRow } from "./ports.ts";

const DAY = 24 * 60 * 60_000;

/** How long an old link can still say what became of it. */
export const TOMBSTONE_LIFE = 30 * DAY;
/** How long ended answers and given-up announcements stay for questions about them. */
export const RECORD_LIFE = 30 * DAY;

/** The last moment a JavaScript Date can name: nothing is kept beyond it. */
const END_OF_TIME = 8.64e15;

/** When something that lives `life` milliseconds from `now` ends. */
export function endOf(now: number, life: number): number {
  return Math.min(now + life, END_OF_TIME);
}

/** A file is gone from the very millisecond it was to expire at, whether or not its bytes still are. */
export function isExpired({ expiresAt }: Pick<FileRow, "expiresAt">, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** An unused link's end. A file that came without a link has none. */
export function isLinkExpired({ linkExpiresAt }: Pick<FileRow, "linkExpiresAt">, now: number): boolean {
  return linkExpiresAt !== null && linkExpiresAt <= now;
}
