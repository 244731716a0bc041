import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WisError } from "../errors.ts";
import { CONTENT_LIMIT, errorText, modelText, plain, truncate } from "./render.ts";

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

describe("a model's words", () => {
  test("show where a link leads instead of hiding it behind other words", () => {
    expect(modelText("see [your bank](https://evil.example)")).toBe("see [your bank] (https://evil.example)");
  });

  test("stay as they are in code", () => {
    expect(modelText("```js\nf[0](x)\n```")).toBe("```js\nf[0](x)\n```");
  });

  test("only grow when the answer grows", () => {
    const pieces = fc.array(fc.constantFrom("]", "(", "[", "```", "`", " ", "\n", "a"), { maxLength: 60 });
    fc.assert(
      fc.property(pieces, pieces, (before, after) => {
        const text = before.join("");
        // A row of backticks that is still growing may yet become a fence.
        fc.pre(!text.endsWith("`"));
        expect(modelText(text + after.join(""))).toStartWith(modelText(text));
      }),
    );
  });

  test("never fill a message with white space", () => {
    expect(modelText(`a${"\n".repeat(9_000)}b`).length).toBeLessThan(600);
  });
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
