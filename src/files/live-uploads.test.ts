import { expect, test } from "bun:test";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { createLiveUploads, type Ticker } from "./live-uploads.ts";
import type { FileIndex } from "./ports.ts";

/** A timer whose ticks the test gives. */
function handTicker() {
  const ticks = new Set<() => void>();
  const ticker: Ticker = (_, tick) => {
    ticks.add(tick);
    return { [Symbol.dispose]: () => void ticks.delete(tick) };
  };
  const tick = () => {
    for (const one of ticks) one();
  };
  return { ticker, running: () => ticks.size, tick };
}

const steady = { tooSlow: () => false, cut: () => undefined };

async function open(touch: FileIndex["touch"]) {
  const { telemetry, lines, ...opened } = await openTestTelemetry();
  const clock = handTicker();
  const live = createLiveUploads({
    index: { touch },
    telemetry,
    resumeFor: 7000,
    now: () => 42,
    ticker: clock.ticker,
  });
  return { ...opened, lines, clock, live };
}

test("one timer says of all uploads that they are alive, and rests when there are none", async () => {
  const touched: unknown[] = [];
  await using desk = await open(async (...beat) => void touched.push(beat));
  expect(desk.clock.running()).toBe(0);
  {
    using _a = desk.live.enter({ id: "a", ...steady });
    using _b = desk.live.enter({ id: "b", ...steady });
    desk.clock.tick();
    expect(desk.clock.running()).toBe(1);
    expect(desk.live.has("a")).toBe(true);
  }
  expect(touched).toEqual([[["a", "b"], 42, 7000]]);
  expect(desk.clock.running()).toBe(0);
  expect(desk.live.has("a")).toBe(false);
});

test("only the slow one is cut", async () => {
  const cut: string[] = [];
  await using desk = await open(async () => undefined);
  using _a = desk.live.enter({ id: "a", tooSlow: () => false, cut: () => cut.push("a") });
  using _b = desk.live.enter({ id: "b", tooSlow: () => true, cut: () => cut.push("b") });
  desk.clock.tick();
  expect(cut).toEqual(["b"]);
});

test("a heartbeat that the database refuses is recorded and ends nothing", async () => {
  const refused = Promise.reject(new Error("database is locked"));
  await using desk = await open(() => refused);
  using _ = desk.live.enter({ id: "a", ...steady });
  desk.clock.tick();
  await Promise.allSettled([refused]);
  expect(
    desk
      .lines()
      .map(({ msg }) => msg)
      .join(),
  ).toContain("database is locked");
});
