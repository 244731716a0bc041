import { expect, test } from "bun:test";
import { inStyle } from "./preview-letters.ts";

test.each([
  ["double-struck", "RNx1", "ℝℕ𝕩𝟙"],
  ["script", "LHag", "ℒℋ𝒶ℊ"],
  ["fraktur", "gC", "𝔤ℭ"],
  ["bold", "xΓβ∇0", "𝐱𝚪𝛃𝛁𝟎"],
  ["bold-italic", "βϵ", "𝜷𝝐"],
  ["sans-serif-bold-italic", "αA", "𝞪𝘼"],
  ["monospace", "a1 é", "𝚊𝟷 é"],
  ["normal", "x", "x"],
])("%s: %s is %s", (style, plain, styled) => {
  expect(inStyle(plain, style)).toBe(styled);
});

test.each([
  "bold",
  "italic",
  "bold-italic",
  "script",
  "bold-script",
  "fraktur",
  "double-struck",
  "bold-fraktur",
  "sans-serif",
  "bold-sans-serif",
  "sans-serif-italic",
  "sans-serif-bold-italic",
  "monospace",
])("every letter in %s is one of Unicode's, and the same letter", (style) => {
  for (const letter of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ΑΩαω∂∇ϖ") {
    const styled = inStyle(letter, style);
    expect(styled.normalize("NFKC")).toBe(letter.normalize("NFKC"));
    expect(styled).toMatch(/^\p{Assigned}$/u);
  }
});
