import { expect, test } from "bun:test";
import fc from "fast-check";
import { nextReservation, overQuota } from "./quota.ts";

const limits = {
  maxFileSize: 250e6,
  maxFiles: 20,
  maxBytes: 2e9,
  expireAfter: 1,
  maxExpireAfter: 1,
  linkExpiresAfter: 1,
};

test("a reservation covers what is needed and never more than a file may have", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 40 }), (needed, max) => {
      const reserved = nextReservation(needed, max);
      expect(reserved).toBeGreaterThanOrEqual(needed);
      if (needed <= max) expect(reserved).toBeLessThanOrEqual(max);
      expect(reserved - needed).toBeLessThanOrEqual(16 * 2 ** 20);
    }),
  );
});

test("a gigabyte of unknown length takes fewer than a hundred statements", () => {
  let steps = 0;
  for (let reserved = 0; reserved < 1e9; steps += 1) reserved = nextReservation(reserved + 1, 4e9);
  expect(steps).toBeLessThan(100);
});

test("a refusal names the quota that is full", () => {
  expect(overQuota({ files: 20, bytes: 0 }, limits, true).code).toBe("quota.files");
  expect(overQuota({ files: 3, bytes: 1.9e9 }, limits, true).say).toContain("100 MB of 2 GB are left");
  expect(overQuota({ files: 20, bytes: 2e9 }, limits, false).code).toBe("quota.bytes");
});
