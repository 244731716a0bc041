import { expect, test } from "bun:test";
import { raw } from "hono/html";
import { createRecent } from "./preview-recent.ts";

/** Asks for a thousand characters of HTML under each of these keys, and tells which had to be made. */
async function made(keys: string[], limit: number): Promise<string> {
  const recent = createRecent(limit);
  const made: string[] = [];
  for (const key of keys) {
    await recent.of(key, async () => {
      made.push(key);
      return raw("x".repeat(1000));
    });
  }
  return made.join("");
}

test("what is asked for again is not made again", async () =>
  expect(await made([..."aabba"], 10_000)).toBe("ab"));

test("what was asked for the longest ago goes first", async () =>
  expect(await made([..."abcaba"], 2_500)).toBe("abcab"));

test("asking keeps it", async () => expect(await made([..."abacab"], 2_500)).toBe("abcb"));

test("what is larger than there is room for is not kept", async () =>
  expect(await made([..."aa"], 1_000)).toBe("aa"));

test("what two ask for at once is made once, and made again after it failed", async () => {
  const recent = createRecent(10_000);
  let asked = 0;
  const give = async () => {
    asked += 1;
    if (asked === 1) throw new Error("not this time");
    return raw("x");
  };
  const failed = await Promise.allSettled([recent.of("a", give), recent.of("a", give)]);
  expect([failed.map(({ status }) => status), asked]).toEqual([["rejected", "rejected"], 1]);
  await Promise.all([recent.of("a", give), recent.of("a", give)]);
  expect(asked).toBe(2);
});

test("two who ask at once are counted once", async () => {
  const recent = createRecent(2_500);
  const make = async () => raw("x".repeat(1000));
  await Promise.all([recent.of("a", make), recent.of("a", make)]);
  await recent.of("b", make);
  let again = false;
  await recent.of("a", async () => {
    again = true;
    return undefined;
  });
  expect(again).toBe(false);
});

test("that something takes too long is remembered too", async () => {
  const recent = createRecent(1_000);
  let asked = 0;
  const give = async () => {
    asked++;
    return undefined;
  };
  expect([await recent.of("a", give), await recent.of("a", give), asked]).toEqual([undefined, undefined, 1]);
});
