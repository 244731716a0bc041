import { expect, test } from "bun:test";
import { createTurns } from "./s3-turns.ts";

test("so many run at once and no more, in the order they came, whoever fails", async () => {
  const inTurn = createTurns(2);
  const doors = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  let running = 0;
  const done = Promise.allSettled(
    doors.map((door, i) =>
      inTurn(async () => {
        begun.push(i);
        running += 1;
        expect(running).toBeLessThanOrEqual(2);
        await door.promise;
        running -= 1;
        if (i === 1) throw new Error("failed");
      }),
    ),
  );
  expect(begun).toEqual([0, 1]);
  for (const door of doors.toReversed()) door.resolve();
  expect((await done).map(({ status }) => status === "fulfilled")).toEqual([true, false, true, true, true]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});
