import { expect, test } from "bun:test";
import fc from "fast-check";
import { createPace } from "./pace.ts";

const rules = { stall: 30_000, window: 60_000, minBytesPerSecond: 1000 };

/** Plays `gaps` (milliseconds of waiting, then bytes), asking every five seconds of waiting as the watchdog does. Gives when it was cut. */
function cutAt(gaps: { wait: number; bytes: number }[]): number | undefined {
  const pace = createPace(rules);
  let now = 0;
  for (const { wait, bytes } of gaps) {
    pace.waiting(now);
    for (const end = now + wait; now < end; ) {
      now = Math.min(now + 5000, end);
      if (pace.tooSlow(now)) return now;
    }
    pace.received(bytes, now);
  }
  return undefined;
}

test("a sender that says nothing is cut when the stall is over", () =>
  expect(cutAt([{ wait: 100_000, bytes: 0 }])).toBe(30_000));

test("a byte every two seconds is cut after one window", () =>
  expect(cutAt(Array.from({ length: 100 }, () => ({ wait: 2000, bytes: 1 })))).toBe(60_000));

test("a sender slower than the minimum is cut in a later window too", () => {
  const fast = Array.from({ length: 70 }, () => ({ wait: 1000, bytes: 2000 }));
  const slow = Array.from({ length: 200 }, () => ({ wait: 1000, bytes: 10 }));
  expect(cutAt([...fast, ...slow])).toBe(120_000);
});

test("a pause shorter than the stall is forgiven when the rate is right on the whole", () =>
  expect(
    cutAt(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 ? { wait: 25_000, bytes: 0 } : { wait: 5000, bytes: 40_000 },
      ),
    ),
  ).toBeUndefined());

test("the time that we take to store what was sent is not held against the sender", () => {
  const pace = createPace(rules);
  pace.waiting(0);
  pace.received(10, 1);
  expect(pace.tooSlow(10 * 60_000)).toBe(false);
});

test("nobody who keeps the minimum rate without stalling is ever cut", () => {
  const steady = fc.integer({ min: 1, max: 29_000 }).map((wait) => ({ wait, bytes: wait * 2 }));
  fc.assert(fc.property(fc.array(steady, { maxLength: 100 }), (gaps) => expect(cutAt(gaps)).toBeUndefined()));
});

test("nobody lives on a tenth of the minimum rate for more than two windows", () => {
  const crawling = fc
    .integer({ min: 100, max: 29_000 })
    .map((wait) => ({ wait, bytes: Math.floor(wait / 10) }));
  fc.assert(
    fc.property(fc.array(crawling, { minLength: 1, maxLength: 30 }), (gaps) => {
      const total = gaps.reduce((sum, { wait }) => sum + wait, 0);
      if (total >= 130_000) expect(cutAt(gaps)).toBeLessThanOrEqual(130_000);
    }),
  );
});
