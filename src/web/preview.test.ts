import { expect, test } from "bun:test";
import fc from "fast-check";
import { languages } from "./client/languages.ts";
import { LARGEST_IMAGE, LARGEST_PDF, previewLanguages, previewOf } from "./preview.ts";

const kindOf = (name: string, contentType: string, size = 1000) => {
  const preview = previewOf({ name, contentType, size });
  return "language" in preview ? `code ${preview.language}` : preview.kind;
};

test.each([
  // What browsers show by themselves, by what the sender says.
  ["a.png", "image/png", "image"],
  ["a.JPG", "image/jpeg", "image"],
  ["a", "image/webp; q=1", "image"],
  ["a.gif", "IMAGE/GIF", "image"],
  ["a.mp3", "audio/mpeg", "audio"],
  ["a.mp4", "video/mp4", "video"],
  ["a.pdf", "application/pdf", "pdf"],
  // By the name, where the type says nothing.
  ["a.png", "application/octet-stream", "image"],
  ["a.webm", "application/octet-stream", "video"],
  ["a.PDF", "application/octet-stream", "pdf"],
  ["main.rs", "application/octet-stream", "code rust"],
  ["Dockerfile", "application/octet-stream", "code dockerfile"],
  ["Makefile", "application/octet-stream", "code makefile"],
  [".env", "application/octet-stream", "code ini"],
  ["README", "application/octet-stream", "text"],
  ["README.md", "application/octet-stream", "markdown"],
  // Whatever might run is source text, however it is called.
  ["a.svg", "image/svg+xml", "code xml"],
  ["a", "image/svg+xml", "code xml"],
  ["a.html", "text/html", "code xml"],
  ["a.txt", "text/html", "text"],
  ["a", "text/html", "code xml"],
  ["a.xhtml", "application/xhtml+xml", "code xml"],
  ["a.xml", "text/xml", "code xml"],
  ["a.rss", "application/rss+xml", "code xml"],
  ["a", "application/atom+xml", "code xml"],
  ["a.js", "text/javascript", "code javascript"],
  ["a.ts", "video/mp2t", "code typescript"],
  ["a.css", "text/css", "code css"],
  // Text.
  ["a.md", "text/markdown", "markdown"],
  ["a", "text/markdown", "markdown"],
  ["a.txt", "text/plain", "text"],
  ["a", "text/plain", "text"],
  ["a.csv", "text/csv", "text"],
  ["a.log", "text/plain", "text"],
  ["a.json", "application/json", "code json"],
  ["a", "application/ld+json", "code json"],
  ["a", "text/x-python", "code python"],
  ["a.strange", "text/strange", "text"],
  // Nothing to see.
  ["a.zip", "application/zip", "none"],
  ["a.exe", "application/octet-stream", "none"],
  ["a.heic", "image/heic", "none"],
  ["a.avi", "video/x-msvideo", "none"],
  ["a.swf", "application/x-shockwave-flash", "none"],
  ["a", "", "none"],
  ["", "", "none"],
  ["a", "multipart/x-mixed-replace", "none"],
  ["constructor", "application/octet-stream", "none"],
] as const)("%s of type %s is shown as %s", (name, type, kind) => {
  expect(kindOf(name, type)).toBe(kind);
});

test.each([
  ["an image", "a.png", "image/png", LARGEST_IMAGE, "image"],
  ["an image that is too large", "a.png", "image/png", LARGEST_IMAGE + 1, "none"],
  ["a PDF", "a.pdf", "application/pdf", LARGEST_PDF, "pdf"],
  ["a PDF that is too large", "a.pdf", "application/pdf", LARGEST_PDF + 1, "none"],
  ["a film of any size", "a.mp4", "video/mp4", 5e11, "video"],
  ["a text of any size", "a.log", "text/plain", 5e11, "text"],
  ["an empty file", "a.txt", "text/plain", 0, "none"],
])("%s is shown within its bounds", (_, name, type, size, kind) => {
  expect(kindOf(name, type, size)).toBe(kind);
});

test("bytes are sent as one of few types, whatever name and type the sender makes up", () => {
  const type = fc.oneof(
    fc.string(),
    fc.stringMatching(/^(image|text|application|video)\/[a-z+.-]{1,12}(;.*)?$/),
  );
  const name = fc.oneof(fc.string(), fc.stringMatching(/^a\.(png|svg|html|pdf|mp4|js|md)$/));
  fc.assert(
    fc.property(name, type, fc.nat(), (name, contentType, size) => {
      const preview = previewOf({ name, contentType, size });
      if (!("type" in preview)) return;
      expect(preview.type).toMatch(/^(?:(?:image|audio|video)\/[a-z0-9.-]+|application\/pdf)$/);
      expect(preview.type).not.toContain("svg");
    }),
  );
});

test("every language that may be named can be coloured", () => {
  const coloured = Object.keys(languages).filter((name) => name !== "markdown");
  expect(previewLanguages.toSorted()).toEqual(coloured.toSorted());
});
