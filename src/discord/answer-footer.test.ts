import { expect, test } from "bun:test";
import { noFacts as nothing } from "../testing/scripted-llm.ts";
import { answerFooter, waitingText } from "./answer-footer.ts";

test("the small print says what an answer took, and nothing of what is not known", () => {
  const usage = { inputTokens: 1_000, outputTokens: 200, durationMs: 5_000 };
  expect(answerFooter("llama3.2", { ...nothing, usage, context: 8_192 })).toBe(
    "-# llama3.2 · 1.2k of 8.2k tokens · 40 tokens a second",
  );
  expect(answerFooter("llama3.2", nothing)).toBe("-# llama3.2");
});

test("the small print says what was left out, and how long it took to begin", () => {
  const facts = { ...nothing, waitedMs: 3_400, dropped: 3, truncated: ["the first 20 pages of a_b.pdf"] };
  expect(answerFooter("llama3.2", facts)).toBe(
    "-# llama3.2 · waited 3 s · 3 earlier messages no longer fit · the first 20 pages of a\\_b.pdf",
  );
  expect(answerFooter("llama3.2", { ...nothing, dropped: 1, waitedMs: 900 })).toBe(
    "-# llama3.2 · 1 earlier message no longer fits",
  );
});

test("who waits is told how long, as far as anybody knows", () => {
  expect(waitingText({ type: "waiting", position: 3, seconds: 40 })).toBe("Waiting: place 3, about 40 s");
  expect(waitingText({ type: "waiting", position: 9, seconds: 130 })).toBe("Waiting: place 9, about 2 min");
  expect(waitingText({ type: "waiting", position: 1, seconds: undefined })).toBe("Waiting: place 1");
});
