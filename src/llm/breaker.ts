import type { Now } from "../lib/clock.ts";

/**
 * Keeps questions from a host that fails. Like any circuit breaker it opens after some failures in a row, and lets one
 * through after a while; unlike the libraries' it runs nothing itself, because the queue asks it before there is
 * anything to run, and a question that its asker stops is neither a success nor a failure.
 */
export interface Breaker {
  /** Until when nobody is sent there, or one at a time after that; undefined: it is closed. */
  readonly restsUntil: number | undefined;
  /** May it have another question? `isIdle`: it has none now, so this one would be the only trial. */
  accepts(isIdle: boolean): boolean;
  succeeded(): void;
  failed(): void;
}

const MOST_FAILURES = 3;
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 120_000;

export function createBreaker({ now }: { now: Now }): Breaker {
  let failures = 0;
  let rest = 0;
  let restsUntil: number | undefined;
  return {
    get restsUntil() {
      return restsUntil;
    },
    accepts: (isIdle) => restsUntil === undefined || (isIdle && now() >= restsUntil),
    succeeded() {
      failures = 0;
      rest = 0;
      restsUntil = undefined;
    },
    failed() {
      // What was asked before it opened may fail later; it says nothing new.
      if (restsUntil !== undefined && now() < restsUntil) return;
      failures += 1;
      if (failures < MOST_FAILURES) return;
      rest = Math.min(Math.max(FIRST_REST_MS, 2 * rest), LONGEST_REST_MS);
      restsUntil = now() + rest;
    },
  };
}
