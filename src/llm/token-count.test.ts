import { expect, test } from "bun:test";
import fc from "fast-check";
import { createTokenCounter } from "./token-count.ts";

const english = "The quick brown fox jumps over the lazy dog. ".repeat(40);

test("what nobody counted is guessed as rather too many tokens than too few", () => {
  // 45 bytes are 10 tokens of GPT-4 and of Llama 3.
  expect(createTokenCounter().estimate("llama3.2", english)).toBeGreaterThan(400);
});

test("what a host counted makes the next guess a better one, for that model alone", () => {
  const counter = createTokenCounter();
  const before = counter.estimate("llama3.2", english);
  for (let time = 0; time < 20; time += 1) counter.learn("llama3.2", english.length, 400);
  const after = counter.estimate("llama3.2", english);
  expect(after).toBeLessThan(before);
  expect(after).toBeGreaterThanOrEqual(400);
  expect(after).toBeLessThan(480);
  expect(counter.estimate("qwen3", english)).toBe(before);
});

test("a count that can't be one of the whole prompt teaches nothing", () => {
  const counter = createTokenCounter();
  const before = counter.estimate("llama3.2", english);
  // From its cache; zero; of a prompt too short to tell.
  counter.learn("llama3.2", english.length, 12);
  counter.learn("llama3.2", english.length, 0);
  counter.learn("llama3.2", 20, 15);
  expect(counter.estimate("llama3.2", english)).toBe(before);
});

test("whatever was learned, more text never counts less", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer({ min: 1, max: 5_000 }), (text, more, tokens) => {
      const counter = createTokenCounter();
      counter.learn("m", 2_000, tokens);
      expect(counter.estimate("m", text + more)).toBeGreaterThanOrEqual(counter.estimate("m", text));
    }),
  );
});
