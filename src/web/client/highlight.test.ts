import { expect, test } from "bun:test";
import fc from "fast-check";
import { highlight } from "./highlight.ts";
import { languages } from "./languages.ts";

const lengthOf = (text: string, language: string) =>
  highlight(text, language).reduce((sum, [length]) => sum + length, 0);

test("code is told apart into what it consists of", () => {
  expect(highlight('const a = "x"; // y', "typescript")).toEqual([
    [5, "keyword"],
    [5, ""],
    [3, "string"],
    [2, ""],
    [4, "comment"],
  ]);
});

test("scripts within a page are coloured in their own language", () => {
  const scopes = highlight("<script>let a = 1;</script>", "xml").map(([, scope]) => scope);
  expect(scopes).toContain("keyword");
  expect(scopes).toContain("number");
});

test.each(Object.keys(languages))("%s: not a character is lost or added", (language) => {
  const piece = fc.constantFrom(
    "<a b='",
    "/*",
    "*/",
    '"',
    "`${",
    "}",
    "\n",
    " x ",
    "é🎉",
    "<?php",
    "1",
    "{{",
    "#",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 30 }), (pieces) => {
      const text = pieces.join("");
      expect(lengthOf(text, language)).toBe(text.length);
    }),
    { numRuns: 20 },
  );
});
