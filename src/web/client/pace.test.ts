import { expect, test } from "bun:test";
import { createPace, timeLeft } from "./pace.ts";

test("speed and time left follow the last seconds, not the whole transfer", () => {
  const pace = createPace();
  for (let second = 0; second <= 10; second += 1)
    pace.add({ at: second * 1000, bytes: second * 1_000_000 }, 100_000_000);
  let shown = pace.add({ at: 11_000, bytes: 15_000_000 }, 100_000_000);
  for (let second = 12; second <= 20; second += 1) {
    shown = pace.add({ at: second * 1000, bytes: 15_000_000 + (second - 11) * 5_000_000 }, 100_000_000);
  }
  expect(shown.speed).toBeCloseTo(5_000_000);
  expect(shown.secondsLeft).toBeCloseTo(8);
});

test("nothing is claimed before there is something to measure", () => {
  const pace = createPace();
  expect(pace.add({ at: 0, bytes: 0 }, 10)).toEqual({ speed: undefined, secondsLeft: undefined });
  expect(pace.add({ at: 100, bytes: 5 }, 10)).toEqual({ speed: undefined, secondsLeft: undefined });
});

test("a stalled transfer promises no end", () => {
  const pace = createPace();
  pace.add({ at: 0, bytes: 5 }, 10);
  expect(pace.add({ at: 9_000, bytes: 5 }, 10)).toEqual({ speed: 0, secondsLeft: undefined });
});

test.each([
  [0.2, "1 s left"],
  [59, "59 s left"],
  [75, "1 min 15 s left"],
  [7300, "2 h 1 min left"],
])("%p seconds read %s", (seconds, text) => {
  expect(timeLeft(seconds)).toBe(text);
});

test("a resumed file that stands further back starts the measure over instead of going backwards", () => {
  const pace = createPace();
  for (let second = 0; second <= 3; second += 1) pace.add({ at: second * 1000, bytes: second * 10 }, 100);
  expect(pace.add({ at: 4000, bytes: 20 }, 100)).toEqual({ speed: undefined, secondsLeft: undefined });
  expect(pace.add({ at: 5000, bytes: 24 }, 100)).toEqual({ speed: 4, secondsLeft: 19 });
});
