import { expect, test } from "bun:test";
import { within } from "./within.ts";

test("work that ends in time gives what it gives", async () => {
  expect(await within(60_000, Promise.resolve("done"))).toBe("done");
  await expect(within(60_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});

test("work that never ends is not waited for", async () => {
  expect(await within(1, new Promise(() => undefined))).toBeUndefined();
});
