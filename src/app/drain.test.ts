import { expect, jest, test } from "bun:test";
import { WisError } from "../errors.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { closeApp, drain, type Running } from "./drain.ts";

const never = () => new Promise<never>(() => {});
const ended = () => Promise.resolve();

/** What runs, quick to end unless said otherwise. */
async function openRunning(overrides: Partial<Running> = {}) {
  const { telemetry, lines, ...opened } = await openTestTelemetry();
  const running: Running = {
    web: { stop: ended },
    bot: { drain: ended, close: ended },
    llm: { idle: ended, interruptAll() {} },
    background: [],
    stopping: new AbortController(),
    closing: new AbortController(),
    telemetry,
    ...overrides,
  };
  const said = () => lines().map(({ msg }) => msg);
  return { running, telemetry, said, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** Turns the clock until `work` is done. Gives how long that took by it, in milliseconds. */
async function clockTime(work: () => Promise<void>): Promise<number> {
  jest.useFakeTimers();
  try {
    let over = false;
    const running = work().finally(() => {
      over = true;
    });
    let passed = 0;
    for (; !over; passed += 500) {
      // Whoever waits for what a timer sets off has to get its turn.
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      if (!over) jest.advanceTimersByTime(500);
    }
    await running;
    return passed;
  } finally {
    jest.useRealTimers();
  }
}

test("whatever hangs, the app is closed within 9 s and says what it leaves, each once", async () => {
  await using t = await openRunning({
    web: { stop: never },
    bot: { drain: never, close: never },
    llm: { idle: never, interruptAll() {} },
    background: [never()],
  });
  const opened = new AsyncDisposableStack();
  opened.defer(never);
  opened.defer(() => drain(t.running));
  expect(await clockTime(() => closeApp(opened, t.telemetry))).toBeLessThanOrEqual(9_000);
  const left = [
    "requests to the web",
    "what was asked in Discord",
    "answers",
    "work in the background",
    "the connection to Discord",
    "closing the database",
  ];
  expect(t.said()).toEqual(left.map((what) => `Left unfinished, because its time to end was up: ${what}`));
});

test("what has ended by itself is neither waited for nor spoken of", async () => {
  await using t = await openRunning();
  expect(await clockTime(() => drain(t.running))).toBeLessThanOrEqual(500);
  expect(t.said()).toEqual([]);
  expect(t.running.closing.signal.aborted).toBe(false);
});

test("what fails while it ends is recorded and cuts nothing else short", async () => {
  const closed = Promise.withResolvers<void>();
  await using t = await openRunning({
    web: { stop: () => Promise.reject(new Error("no web any more")) },
    bot: { drain: ended, close: async () => closed.resolve() },
  });
  await drain(t.running);
  await closed.promise;
  expect(t.said()).toEqual([expect.stringContaining("requests to the web")]);
});

test("attachments still coming in are cut while there is time to tell their people", async () => {
  const closing = new AbortController();
  const cut = new Promise<void>((resolve) => closing.signal.addEventListener("abort", () => resolve()));
  await using t = await openRunning({ closing, bot: { drain: () => cut, close: ended } });
  expect(await clockTime(() => drain(t.running))).toBeLessThan(7_000);
  expect(closing.signal.reason).toBeInstanceOf(WisError);
  expect(closing.signal.reason.code).toBe("shutting_down");
  expect(t.said()).toEqual([]);
});
