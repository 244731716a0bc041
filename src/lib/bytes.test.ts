import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatBytes, parseBytes } from "./bytes.ts";

test.each([
  ["250MB", 250e6],
  ["2GiB", 2 ** 31],
  ["1.5 GiB", 1.5 * 2 ** 30],
  ["4096", 4096],
  [" 1kb ", 1000],
  ["0.5B", 0],
])("%s is %d bytes", (text, bytes) => expect(parseBytes(text)).toBe(bytes));

test.each(["", "MB", "-1MB", "1 PB", "1e3", "1,5MB", "99999999999TB", "Infinity", "0x10"])(
  "%j is no size",
  (text) => expect(parseBytes(text)).toBeUndefined(),
);

test("whatever is read is a whole number of bytes, and nothing makes it throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d+(\.\d+)? ?[KMGT]?i?B?$/)), (text) => {
      const bytes = parseBytes(text);
      expect(bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
    }),
  );
});

test("whole sizes survive being written down in bytes", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => expect(parseBytes(`${bytes}B`)).toBe(bytes)));
});

test("sizes for people use decimal units", () => expect(formatBytes(1_500_000)).toBe("1.5 MB"));
