/** The current time in milliseconds since the Unix epoch. Rules take this in; tests pass their own. */
export type Now = () => number;

export const systemNow: Now = () => Date.now();

/** setTimeout's longest delay: beyond 2^31-1 ms it fires at once, so longer waits are cut to this. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
