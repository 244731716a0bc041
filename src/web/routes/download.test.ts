import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { rangeOf } from "../byte-ranges.ts";
import { safeType } from "./download.ts";

const READY_AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const file = (size: number) => ({ size, etag: "ab".repeat(32), modifiedAt: READY_AT });
const ETAG = `"${"ab".repeat(32)}"`;

describe("a range", () => {
  test.each([
    ["bytes=0-9", 100, { start: 0, end: 9 }],
    ["bytes=90-", 100, { start: 90, end: 99 }],
    ["bytes=-10", 100, { start: 90, end: 99 }],
    ["bytes=-1000", 100, { start: 0, end: 99 }],
    ["bytes=0-1000", 100, { start: 0, end: 99 }],
    ["bytes=99-99", 100, { start: 99, end: 99 }],
    ["bytes=100-", 100, "unsatisfiable"],
    ["bytes=-0", 100, "unsatisfiable"],
    ["bytes=0-", 0, "unsatisfiable"],
    ["bytes=-5", 0, "unsatisfiable"],
    ["bytes=0-1,5-6", 100, undefined],
    ["bytes=a-b", 100, undefined],
    ["bytes", 100, undefined],
    ["pages=200-300", 100, undefined],
  ] as const)("%s of %i bytes", (header, size, expected) => {
    expect(rangeOf(header, undefined, file(size))).toEqual(expected);
  });

  test.each([
    ["the same version", ETAG, true],
    ["another version", '"other"', false],
    ["a weak tag", `W/${ETAG}`, false],
    ["the same date", new Date(READY_AT).toUTCString(), true],
    ["another date", new Date(READY_AT + 1000).toUTCString(), false],
  ])("with If-Range and %s", (_, ifRange, kept) => {
    expect(rangeOf("bytes=0-9", ifRange, file(100))).toEqual(kept ? { start: 0, end: 9 } : undefined);
  });

  test("always lies inside of the file", () => {
    const position = fc.oneof(fc.nat(200), fc.constant(""), fc.maxSafeNat());
    fc.assert(
      fc.property(position, position, fc.nat(100), (from, to, size) => {
        const range = rangeOf(`bytes=${from}-${to}`, undefined, file(size));
        if (typeof range !== "object") return true;
        return range.start >= 0 && range.start <= range.end && range.end < size;
      }),
    );
  });
});

describe("active content never keeps its type", () => {
  test.each([
    "text/html",
    "TEXT/HTML; charset=utf-8",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "application/xml",
    "application/pdf",
    "text/javascript",
    "text/css",
    "multipart/x-mixed-replace",
    "image/svg+xml, image/png",
    "video/mp4\r\nx-injected: 1",
    "",
  ])("%p", (type) => {
    expect(safeType(type)).toBe("application/octet-stream");
  });

  test.each(["image/png", "video/mp4", "audio/mpeg", "application/zip"])(
    "%s is passive and stays",
    (type) => {
      expect(safeType(type)).toBe(type);
    },
  );
});
