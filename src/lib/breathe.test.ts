import { expect, test } from "bun:test";
import { breathing } from "./breathe.ts";

test("all items come in their order, from what is here and from what has yet to come", async () => {
  const items = Array.from({ length: 600 }, (_, at) => at);
  expect(await Array.fromAsync(breathing(items))).toEqual(items);
  expect(await Array.fromAsync(breathing(breathing(items)))).toEqual(items);
});

test("the event loop gets a turn every 256 items", async () => {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  const before: number[] = [];
  for await (const item of breathing(Array(600).keys())) if (!turned) before.push(item);
  expect(before).toHaveLength(256);
});
