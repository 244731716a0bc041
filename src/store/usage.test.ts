import { expect, test } from "bun:test";
import type { Allowance } from "../llm/ports.ts";
import { openStore } from "./open.ts";
import { openTestStore, quiet } from "./open-test-store.ts";

const allow = (given: Partial<Allowance> = {}): Allowance => ({
  requests: undefined,
  tokens: undefined,
  gpuMs: undefined,
  ...given,
});

test("of a hundred questions at once as many are counted as are allowed, through two connections too", async () => {
  await using opened = await openTestStore();
  await using other = await openStore({ dataDir: opened.dataDir, log: quiet });
  const asked = Array.from({ length: 100 }, (_, at) =>
    (at % 2 === 0 ? opened.store : other).usage.take("who", 0, allow({ requests: 7 })),
  );
  const taken = (await Promise.all(asked)).filter(({ taken }) => taken);
  expect(taken.map(({ used }) => used.requests).toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(await opened.store.usage.used("who", 0)).toEqual({ requests: 7, tokens: 0, gpuMs: 0 });
});

test.each([
  ["tokens", { tokens: 100 }],
  ["time of a host", { gpuMs: 5000 }],
])("once its %s are used up, nothing more is taken", async (_, given) => {
  await using opened = await openTestStore();
  const { usage } = opened.store;
  const allowance = allow(given);
  expect(await usage.take("who", 0, allowance)).toMatchObject({ taken: true });
  await usage.add("who", 0, { requests: 0, tokens: 99, gpuMs: 4999 });
  expect(await usage.take("who", 0, allowance)).toMatchObject({ taken: true });
  await usage.add("who", 0, { requests: 0, tokens: 30, gpuMs: 30 });
  const used = { requests: 2, tokens: 129, gpuMs: 5029 };
  expect(await usage.take("who", 0, allowance)).toEqual({ taken: false, used });
  expect(await usage.take("who", 0, allow())).toEqual({ taken: true, used: { ...used, requests: 3 } });
});

test("windows and members are counted apart, and an allowance of nothing allows nothing", async () => {
  await using opened = await openTestStore();
  const { usage } = opened.store;
  const once = allow({ requests: 1 });
  const takes = [];
  for (const [who, since] of [
    ["a", 0],
    ["a", 0],
    ["b", 0],
    ["a", 60],
  ] as const) {
    takes.push((await usage.take(who, since, once)).taken);
  }
  expect(takes).toEqual([true, false, true, true]);
  const nothing = { requests: 0, tokens: 0, gpuMs: 0 };
  expect(await usage.take("c", 0, allow({ tokens: 0 }))).toEqual({ taken: false, used: nothing });
  expect(await usage.used("c", 0)).toEqual(nothing);
});

test("a question that came to nothing is given back, and never more than was taken", async () => {
  await using opened = await openTestStore();
  const { usage } = opened.store;
  await usage.take("who", 0, allow());
  const back = { requests: -1, tokens: 0, gpuMs: 0 };
  for (const since of [0, 0, 60]) await usage.add("who", since, back);
  for (const since of [0, 60]) expect((await usage.used("who", since)).requests).toBe(0);
  expect((await usage.take("who", 0, allow({ requests: 1 }))).taken).toBe(true);
});

test("windows that began long ago are dropped, at most as many as asked", async () => {
  await using opened = await openTestStore();
  const { usage } = opened.store;
  for (const who of ["a", "b", "c"]) await usage.take(who, 0, allow());
  await usage.take("a", 60, allow());
  expect(await usage.drop(60, 2)).toBe(2);
  expect(await usage.drop(60, 2)).toBe(1);
  expect((await usage.used("a", 60)).requests).toBe(1);
});
