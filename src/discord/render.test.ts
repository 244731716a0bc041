import { expect, test } from "bun:test";
import fc from "fast-check";
import { WisError } from "../errors.ts";
import { CONTENT_LIMIT, errorText, plain, truncate } from "./render.ts";

test("an error says what happened, what to do, and the id that leads to its trace", () => {
  const error = new WisError("quota.files", {
    say: "You keep 20 files already.",
    hint: "Delete one.",
    cause: "SQL",
  });
  expect(errorText(error, "0af7651916cd43dd8448eb211c80319c")).toBe(
    "⚠️ You keep 20 files already.\nDelete one.\n-# Error id `0af7651916cd43dd8448eb211c80319c`",
  );
});

test("an error fits into a message with its id, however long its words", () => {
  const text = errorText(new WisError("internal", { say: "x".repeat(5_000) }), "id");
  expect(text.length).toBe(CONTENT_LIMIT);
  expect(text).toEndWith("`id`");
});

test("an error hides no address behind the words that somebody chose", () => {
  const say = 'No model server here has the model "[a](https://evil.example)".';
  expect(errorText(new WisError("llm.model_missing", { say }), "id")).not.toContain("](");
});

test("no link of several is left behind its words", () => {
  expect(plain("[a](https://a.example) [b](https://b.example)")).toBe(
    "\\[a](https://a.example) \\[b](https://b.example)",
  );
});

test("a hostile file name is shown as it stands", () => {
  expect(plain("**bold** [x](https://evil.example) `a`\n# b")).toBe(
    "\\*\\*bold\\*\\* \\[x](https://evil.example) \\`a\\` # b",
  );
});

test("what is cut ends in an ellipsis and stays well formed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, limit) => {
      const cut = truncate(text, limit);
      expect(cut.length).toBeLessThanOrEqual(limit);
      expect(cut.isWellFormed()).toBe(true);
    }),
  );
});

test("whatever a name holds, it is within its limit with all that keeps it from being read as Markdown", () => {
  expect(plain("_".repeat(200), 256).length).toBeLessThanOrEqual(256);
  const names = fc.array(fc.constantFrom("_", "*", "~", "`", "|", "[", "](", "# ", "a", "😀"), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 300 }), (pieces, limit) => {
      expect(plain(pieces.join(""), limit).length).toBeLessThanOrEqual(limit);
    }),
  );
});
