import { expect, test } from "bun:test";
import fc from "fast-check";
import { noFacts } from "../testing/scripted-llm.ts";
import { createEventBuffer } from "./event-buffer.ts";
import type { AnswerEvent } from "./llm.ts";

const done: AnswerEvent = { type: "done", model: "m", facts: noFacts };

function open(signal = new AbortController().signal) {
  let left = 0;
  const buffer = createEventBuffer({ maxText: 10, signal, onLeave: () => left++ });
  return { buffer, left: () => left };
}

test("whatever the pace of the reader, it gets every character in order, then the end", async () => {
  const steps = fc.array(fc.oneof(fc.string({ minLength: 1 }), fc.constant(null)), { maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const { buffer } = open();
      const reader = buffer.events[Symbol.asyncIterator]();
      const reads: Promise<IteratorResult<AnswerEvent>>[] = [];
      for (const step of all) {
        if (step === null) reads.push(reader.next());
        else buffer.put({ type: "text", text: step });
        await Promise.resolve();
      }
      buffer.put(done);
      const rest = await Array.fromAsync({ [Symbol.asyncIterator]: () => reader });
      const early = (await Promise.all(reads)).flatMap(({ value }) => (value ? [value as AnswerEvent] : []));
      const events = [...early, ...rest];
      const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
      expect(text).toBe(all.filter((step) => step !== null).join(""));
      expect(events.at(-1)).toEqual(done);
      expect(events.filter(({ type }) => type === "done")).toHaveLength(1);
    }),
  );
});

test("only the newest place is kept, and text comes joined", async () => {
  const { buffer } = open();
  for (const position of [3, 2, 1]) buffer.put({ type: "waiting", position, seconds: 10 * position });
  buffer.put({ type: "loading", model: "m" });
  for (const text of ["a", "b"]) buffer.put({ type: "text", text });
  buffer.put(done);
  expect(await Array.fromAsync(buffer.events)).toEqual([
    { type: "waiting", position: 1, seconds: 10 },
    { type: "loading", model: "m" },
    { type: "text", text: "ab" },
    done,
  ]);
});

test("an error comes after the text that came before it", async () => {
  const { buffer, left } = open();
  buffer.put({ type: "text", text: "a" });
  buffer.fail(new Error("cut"));
  const events = buffer.events[Symbol.asyncIterator]();
  expect((await events.next()).value).toEqual({ type: "text", text: "a" });
  await expect(events.next()).rejects.toThrow("cut");
  expect(left()).toBe(0);
});

test("a writer waits while too much lies unread", async () => {
  const { buffer } = open();
  buffer.put({ type: "text", text: "123456789" });
  expect(buffer.room()).toBeUndefined();
  buffer.put({ type: "text", text: "0" });
  const room = buffer.room();
  expect(room).toBeInstanceOf(Promise);
  await buffer.events[Symbol.asyncIterator]().next();
  await room;
  expect(buffer.room()).toBeUndefined();
});

test("a writer that waits is let go when the answer is ended", async () => {
  const abort = new AbortController();
  const { buffer } = open(abort.signal);
  buffer.put({ type: "text", text: "1234567890" });
  const room = buffer.room();
  abort.abort();
  await room;
  expect(buffer.room()).toBeUndefined();
});

test("a reader that leaves early is noticed, one that read to the end is not", async () => {
  const early = open();
  early.buffer.put({ type: "text", text: "a" });
  for await (const _event of early.buffer.events) break;
  expect(early.left()).toBe(1);
  const late = open();
  late.buffer.put(done);
  for await (const _event of late.buffer.events) break;
  expect(late.left()).toBe(0);
});
