import { expect, test } from "bun:test";
import { MAX_TIMER_MS } from "./clock.ts";
import { sleep } from "./sleep.ts";

test("a sleep that is over says so", async () => {
  expect(await sleep(1, new AbortController().signal)).toBe(true);
  expect(await sleep(-5, new AbortController().signal)).toBe(true);
});

test.each([10_000, MAX_TIMER_MS * 3, Number.POSITIVE_INFINITY])(
  "a sleep of %d ms ends as soon as it is aborted",
  async (ms) => {
    const controller = new AbortController();
    const sleeping = sleep(ms, controller.signal);
    controller.abort();
    expect(await sleeping).toBe(false);
  },
);

test("a sleep that begins aborted is over at once", async () => {
  expect(await sleep(10_000, AbortSignal.abort())).toBe(false);
});
