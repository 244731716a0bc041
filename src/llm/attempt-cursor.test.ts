import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCursor, writeCursor } from "./attempt-cursor.ts";

test("a place in the history is read as it was written, whenever that was", () => {
  fc.assert(
    fc.property(fc.nat({ max: 36 ** 10 - 1 }), fc.nat(), (createdAt, number) => {
      expect(readCursor(writeCursor({ createdAt, number }))).toEqual({ createdAt, number });
    }),
  );
});

test.each(["", "mik4d3", "-", "a-", "1-2-3", "A-B", "1.5-2", "' or 1=1", `${"z".repeat(11)}-1`])(
  "%j is no place in the history",
  (text) => {
    expect(readCursor(text)).toBeUndefined();
  },
);
