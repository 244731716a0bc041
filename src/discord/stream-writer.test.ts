import { describe, expect, test } from "bun:test";
import { RateLimitError } from "discord.js";
import { WisError } from "../errors.ts";
import { fakeTime } from "../testing/fake-time.ts";
import { createEditBudget } from "./edit-budget.ts";
import { unreachable } from "./refusals.ts";
import { createStreamWriter } from "./stream-writer.ts";

function rateLimited(retryAfter: number): WisError {
  const data = {
    timeToReset: 0,
    limit: 5,
    method: "PATCH",
    hash: "",
    url: "",
    route: "",
    majorParameter: "",
  };
  const cause = new RateLimitError({ ...data, global: false, retryAfter, sublimitTimeout: 0, scope: "user" });
  return unreachable(cause);
}

const gone = () => new WisError("discord.failed", { say: "Unknown Message." });

function setUp(answers: (() => Error | undefined)[] = []) {
  const time = fakeTime();
  const budget = createEditBudget({ now: time.now });
  const start = time.now();
  const written: { at: number; value: string; kind: string }[] = [];
  const refused: unknown[] = [];
  const writer = createStreamWriter<string>({
    async write(value, kind) {
      const error = answers.shift()?.();
      written.push({ at: time.now() - start, value, kind: error ? `refused ${kind}` : kind });
      if (error) throw error;
    },
    book: (notBefore) => budget.book({ token: "reply" }, notBefore),
    onRefused: (error) => refused.push(error),
    ...time,
  });
  return { ...time, writer, written, refused, budget };
}

describe("a stream writer", () => {
  test("writes the first text at once, and the latest of what comes until the next slot", async () => {
    const { writer, written, pass } = setUp();
    writer.update("a");
    await pass(0);
    for (const text of ["ab", "abc", "abcd"]) {
      writer.update(text);
      await pass(100);
    }
    await pass(5_000);
    expect(written).toEqual([
      { at: 0, value: "a", kind: "preview" },
      { at: 1_250, value: "abcd", kind: "preview" },
    ]);
  });

  test("gives back the slot that its last text did not wait for", async () => {
    const { writer, budget, now } = setUp();
    writer.update("a");
    await writer.finish("ab");
    expect(budget.book({ token: "reply" }, now()).at).toBe(now());
  });

  test("writes nothing while nothing is new", async () => {
    const { writer, written, pass } = setUp();
    writer.update("a");
    await pass(60_000);
    expect(written).toHaveLength(1);
  });

  test("writes the last text at once, whatever was to come", async () => {
    const { writer, written, pass } = setUp();
    writer.update("a");
    await pass(10);
    writer.update("ab");
    await writer.finish("abc");
    await pass(60_000);
    expect(written.slice(1)).toEqual([{ at: 10, value: "abc", kind: "final" }]);
  });

  test("waits as long as it is told, and twice the interval after a refusal", async () => {
    const { writer, written, pass } = setUp([() => rateLimited(7_000), () => rateLimited(100)]);
    writer.update("a");
    await pass(60_000);
    expect(written.map(({ at }) => at)).toEqual([0, 7_000, 11_800]);
  });

  test("leaves it at the final text after three refusals", async () => {
    const refusal = () => rateLimited(100);
    const { writer, written, pass } = setUp([refusal, refusal, refusal]);
    writer.update("a");
    await pass(60_000);
    writer.update("ab");
    await pass(60_000);
    expect(written.map(({ kind }) => kind)).toEqual(Array(3).fill("refused preview"));
    await writer.finish("abc");
    expect(written.at(-1)).toMatchObject({ value: "abc", kind: "final" });
  });

  test("never waits longer than 10 seconds by itself", async () => {
    const { writer, written, pass } = setUp([() => rateLimited(0), () => rateLimited(0)]);
    writer.update("a");
    await pass(60_000);
    const gaps = written.map(({ at }, index) => at - (written[index - 1]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
  });

  test("brings the final text through an outage", async () => {
    const down = () => unreachable(new Error("ECONNREFUSED"));
    const { writer, written, pass } = setUp([down, down, down]);
    const finished = writer.finish("all");
    await pass(60_000);
    await finished;
    expect(written.map(({ kind }) => kind)).toEqual([...Array(3).fill("refused final"), "final"]);
  });

  test("gives up at once on a message that is gone, and says so once", async () => {
    const { writer, written, refused, pass } = setUp([gone, gone]);
    writer.update("a");
    await pass(10_000);
    writer.update("ab");
    await pass(10_000);
    expect(refused).toHaveLength(1);
    expect(writer.finish("abc")).rejects.toThrow("Unknown Message");
    await pass(0);
    expect(written).toHaveLength(2);
  });

  test("has one write under way at a time", async () => {
    const time = fakeTime();
    let running = 0;
    let most = 0;
    const writer = createStreamWriter<string>({
      async write() {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => time.timers.after(3_000, resolve));
        running -= 1;
      },
      book: (notBefore) => ({ at: Math.max(notBefore, time.now()), giveBack() {} }),
      onRefused: () => {},
      ...time,
    });
    for (let step = 0; step < 50; step++) {
      writer.update(String(step));
      await time.pass(100);
    }
    const finished = writer.finish("end");
    await time.pass(10_000);
    await finished;
    expect(most).toBe(1);
  });
});

test("a stream that has its place for itself keeps its pace", async () => {
  const { writer, written, pass } = setUp();
  for (let step = 0; step < 120; step++) {
    writer.update(String(step));
    await pass(100);
  }
  expect(written.length).toBeGreaterThanOrEqual(9);
});
