import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import type { Job } from "./ports.ts";
import { runJobs } from "./scheduler.ts";

/** A clock that the test turns: each wait is kept until it is let go. */
function handClock() {
  const waits: { ms: number; over: () => void }[] = [];
  let asked = Promise.withResolvers<void>();
  return {
    wait(ms: number, signal: AbortSignal): Promise<boolean> {
      if (signal.aborted) return Promise.resolve(false);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      signal.addEventListener("abort", () => resolve(false));
      waits.push({ ms, over: () => resolve(true) });
      asked.resolve();
      asked = Promise.withResolvers();
      return promise;
    },
    /** The next wait that somebody is in. */
    async next(): Promise<{ ms: number; over: () => void }> {
      while (waits.length === 0) await asked.promise;
      const next = waits.shift();
      if (!next) throw new Error("no wait");
      return next;
    },
  };
}

async function start(jobs: Job[]) {
  const opened = await openTestTelemetry();
  const clock = handClock();
  const stop = new AbortController();
  const running = runJobs(jobs, {
    telemetry: opened.telemetry,
    metrics: opened.metrics.jobs,
    signal: stop.signal,
    wait: clock.wait,
  });
  return {
    ...opened,
    clock,
    stop: () => stop.abort(),
    running,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await opened[Symbol.asyncDispose]();
    },
  };
}

const hour = 3_600_000;

test("a job runs first after a minute, then so long after its last run has ended", async () => {
  let runs = 0;
  const gate = Promise.withResolvers<void>();
  const job = async () => {
    runs += 1;
    await gate.promise;
  };
  await using scheduler = await start([{ name: "count", every: hour, run: job }]);

  const first = await scheduler.clock.next();
  expect(first.ms).toBe(60_000);
  first.over();
  const second = scheduler.clock.next();
  gate.resolve();
  expect((await second).ms).toBe(hour);
  expect(runs).toBe(1);
});

test("a job that repeats every few seconds does not wait a minute for its first run", async () => {
  await using scheduler = await start([{ name: "quick", every: 2000, run: async () => undefined }]);
  expect((await scheduler.clock.next()).ms).toBe(2000);
});

test("a run that fails is recorded once, in its own trace, and the next one comes", async () => {
  let runs = 0;
  const run = async () => {
    runs += 1;
    throw new WisError("disk.failed", { say: "The disk is gone." });
  };
  await using scheduler = await start([{ name: "broken", every: hour, run }]);
  (await scheduler.clock.next()).over();
  (await scheduler.clock.next()).over();
  await scheduler.clock.next();

  expect(runs).toBe(2);
  const errors = scheduler.lines().filter(({ level }) => level === "error");
  expect(errors).toHaveLength(2);
  expect(new Set(errors.map((line) => line.trace_id)).size).toBe(2);
  expect(await scheduler.telemetry.scrape()).toContain('job="broken",outcome="disk.failed"');
});

test("one job's long run does not hold up another", async () => {
  const { promise: never, resolve: end } = Promise.withResolvers<void>();
  let quick = 0;
  await using scheduler = await start([
    { name: "long", every: hour, run: () => never },
    {
      name: "quick",
      every: hour,
      run: async () => {
        quick += 1;
      },
    },
  ]);
  (await scheduler.clock.next()).over();
  (await scheduler.clock.next()).over();
  await scheduler.clock.next();
  expect(quick).toBe(1);
  end();
});

test("stopping ends the waits at once and tells a running job, whose giving up is no error", async () => {
  const started = Promise.withResolvers<void>();
  const run = (signal: AbortSignal) => {
    started.resolve();
    return new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  await using scheduler = await start([
    { name: "running", every: hour, run },
    { name: "waiting", every: hour, run: async () => undefined },
  ]);
  (await scheduler.clock.next()).over();
  await started.promise;
  scheduler.stop();
  await scheduler.running;
  expect(scheduler.lines().filter(({ level }) => level === "error")).toEqual([]);
});
