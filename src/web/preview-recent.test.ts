import { expect, test } from "bun:test";
import { raw } from "hono/html";
import { createRecent } from "./preview-recent.ts";

/** Asks for a thousand characters of HTML under each of these keys, and tells which had to be made. */
function made(keys: string[], limit: number): string {
  const recent = createRecent(limit);
  const made: string[] = [];
  for (const key of keys) {
    recent.of(key, () => {
      made.push(key);
      return raw("x".repeat(1000));
    });
  }
  return made.join("");
}

test("what is asked for again is not made again", () => expect(made([..."aabba"], 10_000)).toBe("ab"));

test("what was asked for the longest ago goes first", () => expect(made([..."abcaba"], 2_500)).toBe("abcab"));

test("asking keeps it", () => expect(made([..."abacab"], 2_500)).toBe("abcb"));

test("what is larger than there is room for is not kept", () => expect(made([..."aa"], 1_000)).toBe("aa"));

test("that something takes too long is remembered too", () => {
  const recent = createRecent(1_000);
  let asked = 0;
  const give = () => {
    asked++;
    return undefined;
  };
  expect([recent.of("a", give), recent.of("a", give), asked]).toEqual([undefined, undefined, 1]);
});
