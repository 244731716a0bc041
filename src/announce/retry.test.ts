import { expect, test } from "bun:test";
import fc from "fast-check";
import { retryDelay } from "./retry.ts";

test("tries again after 1, 2, 4 seconds and so on, at last every five minutes", () =>
  expect([1, 2, 3, 4, 9, 10, 1000].map((attempts) => retryDelay(attempts, 0) / 1000)).toEqual([
    1, 2, 4, 8, 256, 300, 300,
  ]));

test("chance takes away at most half", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempts, random) => {
        const [delay, full] = [retryDelay(attempts, random), retryDelay(attempts, 0)];
        expect(delay).toBeGreaterThanOrEqual(full / 2);
        expect(delay).toBeLessThanOrEqual(full);
      },
    ),
  );
});
