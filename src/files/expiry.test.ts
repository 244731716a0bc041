import { expect, test } from "bun:test";
import fc from "fast-check";
import { endOf, isExpired, isLinkExpired } from "./expiry.ts";

const time = fc.integer({ min: 0, max: 8.64e15 });
const life = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

test("a file lives until the last millisecond before its end, and not one longer", () => {
  fc.assert(
    fc.property(time, life, (now, span) => {
      const expiresAt = endOf(now, span);
      expect(isExpired({ expiresAt }, expiresAt - 1)).toBe(false);
      expect(isExpired({ expiresAt }, expiresAt)).toBe(true);
    }),
  );
});

test("whatever life is given, its end is a date that can be written down", () => {
  fc.assert(
    fc.property(time, life, (now, span) => {
      const end = endOf(now, span);
      expect(end).toBeGreaterThanOrEqual(now);
      expect(new Date(end).toISOString()).toBeString();
    }),
  );
});

test("what has no end never expires", () => {
  fc.assert(
    fc.property(time, (now) => {
      expect(isExpired({ expiresAt: null }, now)).toBe(false);
      expect(isLinkExpired({ linkExpiresAt: null }, now)).toBe(false);
    }),
  );
});

test("a link is expired from its end on", () => {
  expect(isLinkExpired({ linkExpiresAt: 10 }, 9)).toBe(false);
  expect(isLinkExpired({ linkExpiresAt: 10 }, 10)).toBe(true);
});
