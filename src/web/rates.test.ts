import { describe, expect, test } from "bun:test";
import { createRateGate, defaultRates, RateLimited } from "./rates.ts";

const gate = (over: Partial<typeof defaultRates>) => createRateGate({ ...defaultRates, ...over });

async function refusal(run: Promise<unknown>): Promise<RateLimited> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RateLimited) return error;
  throw new Error(`expected a refusal, got ${error}`);
}

describe("requests", () => {
  test("beyond the rate are refused with when to come back", async () => {
    const rates = gate({ requestsPerMinute: 2 });
    await rates.request("203.0.113.1");
    await rates.request("203.0.113.1");
    const { code, retryAfter } = await refusal(rates.request("203.0.113.1"));
    expect(code).toBe("rate_limited");
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(60);
  });

  test("of one client don't count against another", async () => {
    const rates = gate({ requestsPerMinute: 1 });
    await rates.request("203.0.113.1");
    await rates.request("203.0.113.2");
  });
});

describe("uploads", () => {
  test("at once are limited for one client and for all, and a place is free again when its upload ends", async () => {
    const rates = gate({ uploadsAtOnce: 2, uploadsAtOncePerClient: 1 });
    const first = await rates.upload("203.0.113.1");
    await refusal(rates.upload("203.0.113.1"));
    await rates.upload("203.0.113.2");
    await refusal(rates.upload("203.0.113.3"));
    first[Symbol.dispose]();
    await rates.upload("203.0.113.3");
  });

  test("beyond the rate are refused", async () => {
    const rates = gate({ uploadsPerMinute: 1 });
    (await rates.upload("203.0.113.1"))[Symbol.dispose]();
    await refusal(rates.upload("203.0.113.1"));
  });
});

test("whoever guesses links is shown none after a while, others still are", async () => {
  const rates = gate({ guessesPerMinute: 2 });
  await rates.mayAskForLink("203.0.113.1");
  await rates.guessed("203.0.113.1");
  await rates.guessed("203.0.113.1");
  await refusal(rates.mayAskForLink("203.0.113.1"));
  await rates.mayAskForLink("203.0.113.2");
});

describe("passwords", () => {
  test("are counted before they are checked, and given back when they were not wrong", async () => {
    const rates = gate({ passwordsPerClient: 2 });
    const first = await rates.tryPassword("share", "203.0.113.1");
    await rates.tryPassword("share", "203.0.113.1");
    const { retryAfter } = await refusal(rates.tryPassword("share", "203.0.113.1"));
    expect(retryAfter).toBeLessThanOrEqual(600);
    await rates.tryPassword("share", "203.0.113.2");
    await first.giveBack();
    await rates.tryPassword("share", "203.0.113.1");
    await refusal(rates.tryPassword("share", "203.0.113.1"));
  });

  test("of all clients together are counted for the share, and a refusal counts for nobody", async () => {
    const rates = gate({ passwordsPerShare: 2, passwordsPerClient: 1 });
    const first = await rates.tryPassword("share", "203.0.113.1");
    await rates.tryPassword("share", "203.0.113.2");
    for (let i = 0; i < 5; i += 1) await refusal(rates.tryPassword("share", "203.0.113.3"));
    await first.giveBack();
    await rates.tryPassword("share", "203.0.113.3");
    await refusal(rates.tryPassword("other", "203.0.113.3"));
  });
});

test("uploads that begin are counted by themselves", async () => {
  const rates = gate({ creationsPerMinute: 1, uploadsPerMinute: 1 });
  await rates.creation("203.0.113.1");
  await refusal(rates.creation("203.0.113.1"));
  (await rates.upload("203.0.113.1"))[Symbol.dispose]();
  await rates.creation("203.0.113.2");
});

test("a hundred thousand addresses take no more counters than there are", async () => {
  const rates = gate({});
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 100_000; i += 1) await rates.request(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  Bun.gc(true);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(30_000_000);
});
