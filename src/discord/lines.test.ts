import { expect, test } from "bun:test";
import fc from "fast-check";
import { linesWithin } from "./lines.ts";

const text = fc.string({ maxLength: 40 }).map((line) => line.replaceAll("\n", " "));
const lines = fc.array(text, { maxLength: 20 });

test("what fits is shown from its beginning, and what does not is counted", () => {
  fc.assert(
    fc.property(lines, lines, lines, fc.nat(1_000), (above, listed, below, limit) => {
      const more = (missing: number) => `and ${missing} more`;
      const whole = linesWithin({ above, listed, below, more, limit });
      const shownOf = (count: number) =>
        [
          ...above,
          ...listed.slice(0, count),
          ...(count < listed.length ? [more(listed.length - count)] : []),
          ...below,
        ].join("\n");
      const fitting = listed.map((_, index) => index + 1).filter((count) => shownOf(count).length <= limit);
      expect(whole).toBe(shownOf(fitting.at(-1) ?? 0));
    }),
  );
});
