import { expect, test } from "bun:test";
import { sameModel } from "./model-name.ts";
import { messagesOf } from "./prompt.ts";

test("a conversation keeps its order after one instruction", () => {
  const messages = messagesOf([
    { from: "member", text: "Hi" },
    { from: "model", text: "Hello" },
    { from: "member", text: "Bye" },
  ]);
  expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  expect(messages.at(-1)?.content).toBe("Bye");
});

test.each([
  ["llama3.2", "llama3.2:latest", true],
  ["llama3.2:1b", "llama3.2:latest", false],
  ["hf.co/bartowski/Qwen3:Q4_K_M", "hf.co/bartowski/qwen3:q4_k_m", true],
  ["registry.local:5000/llama3.2", "registry.local:5000/llama3.2:latest", true],
])("%s and %s: one model is %p", (a, b, same) => {
  expect(sameModel(a, b)).toBe(same);
});
