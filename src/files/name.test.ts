import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { safeName } from "./name.ts";

describe("a hostile name becomes a safe, readable one", () => {
  test.each([
    ["../../etc/passwd", "passwd"],
    ["..\\..\\windows\\system32\\cmd.exe", "cmd.exe"],
    ["/", "file"],
    ["..", "file"],
    [".", "file"],
    ["", "file"],
    ["   ", "file"],
    ["folder/", "folder"],
    ["a\0b.txt", "ab.txt"],
    ["two\r\nlines.txt", "twolines.txt"],
    ["photo\u202Egpj.exe", "photogpj.exe"],
    ["a\u200Bb\uFEFF.txt", "ab.txt"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["com¹.log", "_com¹.log"],
    ["lpt0 .txt", "_lpt0 .txt"],
    ["console.txt", "console.txt"],
    ["what?.txt", "what_.txt"],
    ['say "hi".txt', "say _hi_.txt"],
    ["trailing. . .", "trailing"],
    [".gitignore", ".gitignore"],
    ["...hidden", ".hidden"],
    ["  spaced   out .txt ", "spaced out .txt"],
    ["lone \uD83D half.txt", "lone half.txt"],
  ])("%j → %j", (given, safe) => expect(safeName(given)).toBe(safe));

  test.each(["Übung 3 – Größe.pdf", "写真.jpg", "تقرير.docx", "👩‍👩‍👧‍👦.png", "résumé.pdf"])(
    "%s stays as it is",
    (name) => expect(safeName(name)).toBe(name),
  );

  test("a name in decomposed form is composed", () =>
    expect(safeName("re\u0301sume\u0301.pdf")).toBe("résumé.pdf"));

  test("an over-long name keeps its extension", () => {
    const name = safeName(`${"長".repeat(500)}.tar.gz`);
    expect(name).toEndWith("長.gz");
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
  });

  test("an over-long name is never cut inside an emoji", () => {
    const family = "👨‍👩‍👧‍👦";
    const name = safeName(family.repeat(40));
    expect(name.replaceAll(family, "")).toBe("");
  });
});

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc
    .array(
      fc.constantFrom(
        "..",
        "/",
        "\\",
        "\0",
        "\u202E",
        ".",
        " ",
        "CON",
        "nul",
        "\u200D",
        "é",
        "e\u0301",
        "長",
        "👨‍👩‍👧‍👦",
        "a",
        ":",
        "%2f",
        "\uD800",
        "\n",
        "\u00AD",
      ),
      { maxLength: 300 },
    )
    .map((parts) => parts.join("")),
);

test("whatever is given, the name is one safe path part", () => {
  fc.assert(
    fc.property(hostile, (given) => {
      const name = safeName(given);
      expect(name).not.toBe("");
      expect(name).not.toMatch(/[/\\\0<>:"|?*]|\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u);
      expect(name).not.toMatch(/^\.{1,2}$|[. ]$|^\.\./);
      expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
      expect(name.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(201);
      expect(safeName(name)).toBe(name);
    }),
    { numRuns: 2000 },
  );
});
