import type { Timers } from "../discord/timers.ts";

/** A clock that moves when it is told to, and runs what falls due on its way, promises included. */
export function fakeTime() {
  let time = 1_000_000;
  let due: { at: number; run: () => void }[] = [];
  const timers: Timers = {
    after(ms, run) {
      const entry = { at: time + ms, run };
      due.push(entry);
      return () => {
        due = due.filter((one) => one !== entry);
      };
    },
  };
  async function pass(ms: number): Promise<void> {
    const end = time + ms;
    for (;;) {
      await settle();
      const next = due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      due = due.filter((one) => one !== next);
      time = Math.max(time, next.at);
      next.run();
    }
    time = end;
  }
  return { now: () => time, timers, pass };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
