import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { readHead } from "./preview-text.ts";

const blob = (content: string | Uint8Array<ArrayBuffer>) => new Blob([content]);
const bytes = (...values: number[]) => new Uint8Array(values);
const read = (content: Blob, limit?: number) => readHead(content, content.size, limit);

test.each([
  ["UTF-8", blob("Grüße 🎉\n"), "Grüße 🎉\n"],
  ["UTF-8 with its mark", blob("\ufeffa"), "a"],
  ["UTF-16, little end first", blob(bytes(0xff, 0xfe, 0x47, 0, 0xfc, 0)), "Gü"],
  ["UTF-16, big end first", blob(bytes(0xfe, 0xff, 0, 0x47, 0, 0xfc)), "Gü"],
  ["Windows-1252", blob(bytes(0x47, 0x72, 0xfc, 0xdf, 0x65)), "Grüße"],
  ["a terminal's log", blob("\x1b[31mred\x1b[0m\r\n"), "\x1b[31mred\x1b[0m\r\n"],
])("%s is read", async (_, content, text) => {
  expect(await read(content)).toEqual({ text, truncated: false });
});

test.each([
  ["random bytes", blob(randomBytes(5000))],
  ["an executable", blob(bytes(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0))],
  ["control characters", blob(bytes(1, 2, 3, 4, 5, 6))],
])("%s are no text", async (_, content) => {
  expect(await read(content)).toBeUndefined();
});

test("no more than the head is read, and a character that it cuts is left off", async () => {
  expect(await read(blob("aé"), 2)).toEqual({ text: "a", truncated: true });
  expect(await read(blob("a🎉b"), 3)).toEqual({ text: "a", truncated: true });
  expect(await read(blob(bytes(0xff, 0xfe, 0x47, 0, 0xfc, 0)), 5)).toEqual({ text: "G", truncated: true });
  // A blob that was cut already, as files.open gives it.
  expect(await readHead(blob("abc"), 1_000_000)).toEqual({ text: "abc", truncated: true });
});

test("whatever text there is comes back as it was", async () => {
  const text = fc.string({ unit: "grapheme" });
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      expect(await read(blob(text))).toEqual({ text, truncated: false });
    }),
  );
});
