import { describe, expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { openScripted, scripted } from "../testing/test-pool.ts";

const never = new AbortController().signal;
const unreachable = () => new WisError("llm.unreachable", { say: 'The model server "a" can\'t be reached.' });

/** A pool whose host "a" fails on demand. */
async function openFailing(...others: string[]) {
  const opened = await openScripted(["a", ...others].map((name) => scripted(name)));
  const { pool } = opened;
  return {
    ...opened,
    accepts: () => pool.preference("llama3.2")("a") !== undefined,
    fail(times: number) {
      for (let turn = 0; turn < times; turn++) pool.failed("a", unreachable());
    },
  };
}

describe("hosts that fail", () => {
  test("after three failures in a row it rests 5 s, then twice as long each time up to 2 minutes", async () => {
    await using opened = await openFailing();
    opened.fail(2);
    expect(opened.accepts()).toBe(true);
    opened.fail(1);
    for (const rest of [5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]) {
      await opened.pass(rest - 1);
      expect(opened.accepts()).toBe(false);
      await opened.pass(1);
      expect(opened.accepts()).toBe(true);
      opened.fail(1);
    }
    expect(opened.pool.health()[0]).toMatchObject({
      state: "resting",
      detail: 'The model server "a" can\'t be reached. It is tried again in 2 minutes.',
    });
  });

  test("an answer in between, a stopped question and a model that is not there don't count", async () => {
    await using opened = await openFailing();
    opened.fail(2);
    opened.pool.succeeded("a", "llama3.2");
    opened.fail(2);
    for (const code of ["llm.stopped", "llm.model_missing", "internal"] as const)
      opened.pool.failed("a", new WisError(code, { say: "Not its fault." }));
    expect(opened.accepts()).toBe(true);
  });

  test("what was asked before it rested and fails later makes the rest no longer", async () => {
    await using opened = await openFailing();
    opened.fail(5);
    await opened.pass(5_000);
    expect(opened.accepts()).toBe(true);
  });

  test("while all rest, a question is refused with when to ask again", async () => {
    await using opened = await openFailing("b");
    opened.fail(3);
    expect(opened.pool.refusal("llama3.2")).toBeUndefined();
    expect(opened.pool.refusal("llama3.2", new Set(["b"]))).toMatchObject({
      code: "llm.unreachable",
      hint: "Ask again in 5 seconds.",
      cause: { code: "llm.unreachable" },
    });
    await opened.pass(5_000);
    expect(opened.pool.refusal("llama3.2", new Set(["b"]))).toBeUndefined();
  });

  test("after its rest one who waits is let through, and the others when that went well", async () => {
    await using opened = await openFailing();
    const { pool, queue, pass } = opened;
    opened.fail(3);
    const leases = ["x", "y", "z"].map((key) =>
      queue.acquire({ key, preference: pool.preference("llama3.2"), signal: never }),
    );
    await pass(4_999);
    expect(queue.depth).toEqual({ waiting: 3, active: 0 });
    await pass(1);
    expect(queue.depth).toEqual({ waiting: 2, active: 1 });

    // Its asker stopped it: that says nothing of the host, and the next one is the trial.
    (await leases[0])?.[Symbol.dispose]();
    expect(queue.depth).toEqual({ waiting: 1, active: 1 });
    pool.succeeded("a", "llama3.2");
    expect(queue.depth).toEqual({ waiting: 0, active: 2 });
  });
});
