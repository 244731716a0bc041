import { expect, test } from "bun:test";
import { createBell } from "./bell.ts";

const live = () => new AbortController().signal;
const forever = Number.POSITIVE_INFINITY;

test("a ring ends the wait", async () => {
  const bell = createBell();
  const waiting = bell.wait(forever, live());
  bell.ring();
  expect(await waiting).toBeUndefined();
});

test("a ring that nobody waits for is kept for the next wait, once", async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  await bell.wait(forever, live());
  const again = await Promise.race([bell.wait(forever, live()), Promise.resolve("still waiting")]);
  expect(again).toBe("still waiting");
});

test("time and the signal end the wait too", async () => {
  const bell = createBell();
  await bell.wait(0, live());
  await bell.wait(forever, AbortSignal.abort());
});
