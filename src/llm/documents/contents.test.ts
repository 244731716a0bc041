import { expect, test } from "bun:test";
import fc from "fast-check";
import { excerptOf, shareRoom } from "./contents.ts";

test("the small get all that they want, the large share the rest evenly", () => {
  expect(shareRoom([10, 500, 20, 400], 330)).toEqual([10, 150, 20, 150]);
  expect(shareRoom([10, 20], 1000)).toEqual([10, 20]);
  expect(shareRoom([], 1000)).toEqual([]);
});

test("no more is shared than there is, and only somebody who gets the most is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 10 }), fc.nat(5000), (wanted, room) => {
      const shares = shareRoom(wanted, room);
      const given = shares.reduce((sum, share) => sum + share, 0);
      expect(given).toBe(
        Math.min(
          room,
          wanted.reduce((sum, want) => sum + want, 0),
        ),
      );
      const most = Math.max(...shares);
      for (const [index, share] of shares.entries()) {
        // By one, where the room can't be divided.
        if (share < (wanted[index] ?? 0)) expect(share).toBeGreaterThanOrEqual(most - 1);
        else expect(share).toBe(wanted[index] ?? 0);
      }
    }),
  );
});

test.each([
  ["all pages", 8, { text: "one\n\ntwo", share: undefined }],
  ["whole pages", 7, { text: "one", share: "1 of 2 pages" }],
  ["a part of the first page, where none fits", 2, { text: "on", share: "the first 2 characters" }],
])("an excerpt has %s", (_, room, excerpt) => {
  expect(excerptOf({ parts: ["one", "two"], total: 2 }, room)).toEqual(excerpt);
});

test("an excerpt of what was read in part says so, and none ends within a character", () => {
  expect(excerptOf({ parts: ["one", "two"], total: 90 }, 100).share).toBe("2 of 90 pages");
  expect(excerptOf({ parts: ["a🎉b"], total: 1 }, 2).text).toBe("a");
});
