import { MAX_TIMER_MS } from "./clock.ts";

/** Waits `ms`, however long that is. True when the time is up, false as soon as the signal ends the wait. */
export async function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  for (let left = ms; left > 0 && !signal.aborted; left -= MAX_TIMER_MS) {
    await pause(Math.min(left, MAX_TIMER_MS), signal);
  }
  return !signal.aborted;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
