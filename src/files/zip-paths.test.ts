import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { zipPaths } from "./zip-paths.ts";

describe("a path that would leave the folder, or that some system can't make, becomes one that stays", () => {
  test.each([
    ["../../etc/passwd", "etc/passwd"],
    ["/etc/passwd", "etc/passwd"],
    ["C:\\Windows\\system32\\cmd.exe", "C_/Windows/system32/cmd.exe"],
    ["\\\\server\\share\\a.txt", "server/share/a.txt"],
    ["a//b/./c.txt", "a/b/c.txt"],
    ["a/../../b.txt", "a/b.txt"],
    ["a/.../b.txt", "a/file/b.txt"],
    ["con/nul.txt", "_con/_nul.txt"],
    ["", "file"],
    ["..", "file"],
    ["photos/2026/été 👩‍🚀.jpg", "photos/2026/été 👩‍🚀.jpg"],
  ])("%j → %j", (given, safe) => expect(zipPaths([given])).toEqual([safe]));
});

describe("who comes second gets a number before the extension", () => {
  test.each([
    [
      ["a.txt", "a.txt", "a.txt"],
      ["a.txt", "a (2).txt", "a (3).txt"],
    ],
    [
      ["Photo.JPG", "photo.jpg"],
      ["Photo.JPG", "photo (2).jpg"],
    ],
    [
      ["x/README", "X/readme"],
      ["x/README", "X/readme (2)"],
    ],
    [
      [".env", ".env"],
      [".env", ".env (2)"],
    ],
    [
      ["a.txt", "a (2).txt", "a.txt"],
      ["a.txt", "a (2).txt", "a (3).txt"],
    ],
    [
      ["straße", "STRASSE"],
      ["straße", "STRASSE (2)"],
    ],
    // One of them has to be a folder.
    [
      ["a", "A/b"],
      ["a (2)", "A/b"],
    ],
    [
      ["x/a", "y/a"],
      ["x/a", "y/a"],
    ],
  ])("%j → %j", (given, expected) => expect(zipPaths(given)).toEqual(expected));
});

test("ten thousand files of one name are told apart in no time", () => {
  const paths = zipPaths(Array.from({ length: 10_000 }, () => "a.txt"));
  expect(paths.at(-1)).toBe("a (10000).txt");
});

const part = fc.constantFrom(
  "a",
  "A",
  "b.txt",
  "B.TXT",
  "b (2).txt",
  "..",
  ".",
  "",
  "C:",
  "é",
  "e\u0301",
  "ß",
  "SS",
  "👩‍🚀",
  "قائمة",
  "nul",
);
const hostile = fc.oneof(
  fc.tuple(fc.array(part, { maxLength: 4 }), fc.constantFrom("/", "\\")).map(([parts, by]) => parts.join(by)),
  fc.string({ unit: "binary", maxLength: 40 }),
);

test("whatever is given, the paths are safe, apart from each other, and no file is another's folder", () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 12 }), (given) => {
      const paths = zipPaths(given);
      expect(paths).toHaveLength(given.length);
      for (const path of paths) {
        expect(path).not.toMatch(/[\\:\0]|^\//);
        expect(path.split("/").filter((name) => name === "" || name === "." || name === "..")).toEqual([]);
      }
      const seen = paths.map((path) => path.toLowerCase());
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((path) => seen.some((other) => other.startsWith(`${path}/`)))).toEqual([]);
      expect(zipPaths(paths)).toEqual(paths);
    }),
    { numRuns: 1000 },
  );
});
