import { expect, test } from "bun:test";
import fc from "fast-check";
import { modelText } from "./model-text.ts";
import { partText, split } from "./split.ts";

const whole = (text: string, limit: number) => split(text, () => limit);
const sent = (text: string, limit: number) => whole(text, limit).map(partText);

/** Pieces that make hard cases likely: fences, languages, breaks, emoji, long words, no width, right to left. */
const piece = fc.oneof(
  fc.constantFrom("```", "```ts\n", "```\n", "`", "\n", "\n\n", " ", "👩‍🚀", "word ", "\ud83d", "[a](b)"),
  fc.constantFrom("\u200b", "\u200d", "\u2060", "\ufeff", "שלום", "\u202eمرحبا\u202c", "e\u0301", "🇩🇪"),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("x", "日").chain((letter) => fc.nat(400).map((times) => letter.repeat(times))),
);
const anyText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
const anyLimit = fc.integer({ min: 100, max: 400 });

test("all bodies together are the text", () => {
  fc.assert(
    fc.property(anyText, anyLimit, (text, limit) => {
      const bodies = whole(text, limit).map(({ body }) => body);
      expect(bodies.join("")).toBe(text);
    }),
  );
});

test("no part is longer than its limit, each with its own", () => {
  fc.assert(
    fc.property(anyText, anyLimit, anyLimit, (text, first, rest) => {
      const parts = split(text, (index) => (index === 0 ? first : rest)).map(partText);
      for (const [index, part] of parts.entries()) {
        expect(part.length).toBeLessThanOrEqual(index === 0 ? first : rest);
      }
    }),
  );
});

test("every part closes the code blocks that it opens", () => {
  fc.assert(
    fc.property(anyText, anyLimit, (text, limit) => {
      for (const part of sent(text, limit)) expect((part.split("```").length - 1) % 2).toBe(0);
    }),
  );
});

test("no part ends or begins inside a surrogate pair", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 100, maxLength: 1000 }), anyLimit, (text, limit) => {
      for (const { body } of whole(text, limit)) expect(body.isWellFormed()).toBe(true);
    }),
  );
});

test("more text changes no part but the last", () => {
  const noBackticks = anyText.map((text) => text.replaceAll("`", "'"));
  fc.assert(
    fc.property(noBackticks, noBackticks, anyLimit, (text, more, limit) => {
      // A pair that is still half there is cut as it stands.
      fc.pre(text.isWellFormed() && more.isWellFormed());
      const before = sent(text, limit).slice(0, -1);
      expect(sent(text + more, limit).slice(0, before.length)).toEqual(before);
    }),
  );
});

test("no part ends or begins inside what people see as one character", () => {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  const hard = fc.constantFrom(
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "🇫🇷",
    "e\u0301",
    "นี้",
    "한",
    "\u200b",
    "\u202eשלום",
    "\r\n",
    "日",
    "a",
    " ",
  );
  const texts = fc.array(hard, { minLength: 100, maxLength: 400 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(texts, anyLimit, (text, limit) => {
      const ends = new Set(Array.from(segmenter.segment(text), ({ index }) => index).concat(text.length));
      let at = 0;
      for (const { body } of whole(text, limit)) {
        at += body.length;
        expect(ends.has(at)).toBe(true);
      }
    }),
  );
});

/** What Discord takes for a code block: three backticks, perhaps a language, content, three backticks. */
const BLOCK = /```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```/gi;

test("whatever a model writes, no part leaves a code block open, as Discord reads it", () => {
  const markdown = fc.oneof(
    piece,
    fc.constantFrom(
      "\n````md\n",
      "\n~~~\n",
      "\n~~~~js x=1\n",
      "\n  ```\n",
      "\n````\n",
      "- ```js\n",
      "> ```\n",
      "``````",
    ),
    fc.constantFrom(
      "\n| a | b |\n|---|---|\n| ``` | x |\n",
      "\n$$\nx\n$$\n",
      "\\(a\\)",
      "code();\n",
      `\n\`\`\`${"x".repeat(200)}\n`,
    ),
  );
  const texts = fc.array(markdown, { maxLength: 60 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(texts, anyLimit, (text, limit) => {
      for (const part of sent(modelText(text), limit)) expect(part.replace(BLOCK, "")).not.toContain("```");
    }),
    { numRuns: 300 },
  );
});

test("a code block is never cut right behind its beginning or before its end", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 1, max: 300 }), (before, inside) => {
      const text = `${"x".repeat(before)}\n\`\`\`ts\n${"y".repeat(inside)}\n\`\`\`\nrest ${"z".repeat(100)}`;
      for (const part of sent(text, 100)) expect(part.replace(BLOCK, "")).not.toContain("```");
    }),
  );
});

test("a text within the limit is one part, and no text is one empty part", () => {
  expect(sent("Hello.", 100)).toEqual(["Hello."]);
  expect(sent("", 100)).toEqual([""]);
});

test("a paragraph's end is a better place than a line's, a line's better than a word's", () => {
  const words = "word ".repeat(12);
  expect(whole(`${words}\n\n${"word ".repeat(8)}\n${words}`, 124)[0]?.body).toBe(`${words}\n\n`);
  expect(whole(`${words}\n${words}`, 110)[0]?.body).toBe(`${words}\n`);
  expect(whole("word ".repeat(40), 111)[0]?.body).toBe("word ".repeat(21));
});

test("a code block that is cut goes on in its language", () => {
  const code = "let x = 1;\n".repeat(20);
  const [first, second] = sent(`Look:\n\`\`\`ts\n${code}\`\`\`\nDone.`, 120);
  expect(first).toStartWith("Look:\n```ts\nlet x = 1;\n");
  expect(first).toEndWith("let x = 1;\n```");
  expect(second).toStartWith("```ts\nlet x = 1;\n");
});
