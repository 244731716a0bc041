import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  [" 1.5 h ", 5_400_000],
])("%s is %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(["", "5", "-5s", "5 minutes ago", "s", "1y", "1e3s", "NaNs", `${"1".repeat(200)}s`])(
  "%j is no duration",
  (text) => expect(parseDuration(text)).toBeUndefined(),
);

test("whatever is read is a whole number of milliseconds, and nothing makes it throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,200}(\.\d+)? ?(ms|s|m|h|d|w)$/)), (text) => {
      const ms = parseDuration(text);
      expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
    }),
  );
});

test("durations for people round to the largest unit", () =>
  expect(formatDuration(604_800_000)).toBe("7 days"));
