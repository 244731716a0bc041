import { expect, test } from "bun:test";
import { matchesAny, sameModel } from "./model-name.ts";

test.each([
  ["llama3.2", "llama3.2:latest", true],
  ["llama3.2:1b", "llama3.2:latest", false],
  ["hf.co/bartowski/Qwen3:Q4_K_M", "hf.co/bartowski/qwen3:q4_k_m", true],
  ["registry.local:5000/llama3.2", "registry.local:5000/llama3.2:latest", true],
])("%s and %s: one model is %p", (a, b, same) => {
  expect(sameModel(a, b)).toBe(same);
});

test.each([
  ["llama3.2", "llama3.2:latest", true],
  ["qwen3:*", "qwen3:8b", true],
  ["qwen3*", "Qwen3", true],
  ["*:latest", "llama3.2", true],
  ["hf.co/*", "hf.co/someone/model:q4", true],
  ["qwen3:*", "qwen2:8b", false],
  // A dot is a dot.
  ["llama3.2*", "llama3x2", false],
])("the pattern %s and the model %s: %p", (pattern, model, matches) => {
  expect(matchesAny([pattern], model)).toBe(matches);
});
