import { expect, test } from "bun:test";
import fc from "fast-check";
import { budgetOf, MESSAGE_TOKENS, turnsThatFit } from "./budget.ts";

const sizes = fc.array(fc.nat(2_000), { maxLength: 60 });

test("the newest turns fit together, and the next older one would not", () => {
  fc.assert(
    fc.property(sizes, fc.nat(20_000), (turns, room) => {
      const kept = turnsThatFit(turns, room);
      const taken = (count: number) =>
        turns.slice(0, count).reduce((sum, size) => sum + size + 2 * MESSAGE_TOKENS, 0);
      expect(taken(kept)).toBeLessThanOrEqual(room);
      if (kept < turns.length) expect(taken(kept + 1)).toBeGreaterThan(room);
    }),
  );
});

test("more room never drops more", () => {
  fc.assert(
    fc.property(sizes, fc.nat(20_000), fc.nat(5_000), (turns, room, more) => {
      expect(turnsThatFit(turns, room + more)).toBeGreaterThanOrEqual(turnsThatFit(turns, room));
    }),
  );
});

test("there is always room for an answer, a quarter of a small context and 4,096 tokens of a large one", () => {
  expect(budgetOf(4_096)).toEqual({ prompt: 3_072, answer: 1_024 });
  expect(budgetOf(131_072)).toEqual({ prompt: 126_976, answer: 4_096 });
});
