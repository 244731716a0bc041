import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Preview } from "../../templates/preview.tsx";
import { elementsOf } from "../testing/markup.ts";
import { type ShownFiles, shownFiles } from "../testing/shown-files.ts";
import { previewUrls } from "./assets.ts";
import { TEXT_HEAD } from "./preview.ts";
import { createPreviews } from "./preview-content.ts";

let shown: ShownFiles;
beforeAll(async () => {
  shown = await shownFiles();
});
afterAll(() => shown?.[Symbol.asyncDispose]());

async function htmlOf(name: string, type: string, bytes: Uint8Array | string): Promise<string> {
  const file = await shown.files.get(await shown.add(name, type, bytes));
  const content = await createPreviews(shown).contentOf(file);
  return String(Preview({ assets: previewUrls, name, view: `/f/${file.id}/view`, content }) ?? "");
}

/** Everything that this page may consist of around a file's own text. */
const FRAME = new Set([
  "div class",
  "link rel href",
  "section class tabindex aria-label",
  "section class data-pdf data-library data-worker data-decoders tabindex aria-label",
  "pre class",
  "code",
  "code data-language data-worker",
  "p class",
  "p class data-status role",
  "noscript",
  "script src defer",
  "img class src alt loading decoding",
  "audio class src controls preload aria-label",
  "video class src controls playsinline preload aria-label",
]);

const strangers = (html: string) =>
  elementsOf(html)
    .map(({ tag, attributes }) => [tag, ...attributes.map(([name]) => name)].join(" "))
    .filter((element) => !FRAME.has(element));

const sources = (html: string) =>
  elementsOf(html).flatMap(({ attributes }) => attributes.filter(([name]) => /^(?:src|href)$/.test(name)));

const HOSTILE = [
  "<script>alert(1)</script>",
  "</code></pre><script>alert(1)</script>",
  "</section><img src=x onerror=alert(1)>",
  '"><svg onload=alert(1)>',
  "<!-- --><style>*{}</style>",
  "&lt;script&gt;",
  "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script>&y;</svg>",
];

describe("a text is shown as text", () => {
  test.each(["a.html", "a.svg", "a.xml", "a.js", "a.txt", "a.php", "a.json"])("%s", async (name) => {
    for (const text of HOSTILE) {
      const html = await htmlOf(name, "text/html", text);
      expect(strangers(html)).toEqual([]);
      expect(unescapeHtml(html)).toContain(text);
    }
  });

  test("whatever it says and however it is called", async () => {
    const ending = fc.constantFrom(".html", ".svg", ".txt", ".js", "");
    const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "grapheme", minLength: 1 }));
    await fc.assert(
      fc.asyncProperty(text, text, ending, async (name, text, ending) => {
        expect(strangers(await htmlOf(`${name}${ending}`, "text/plain", text))).toEqual([]);
      }),
    );
  });

  test("cut where it is long, and that is said", async () => {
    const html = await htmlOf("a.log", "text/plain", "line\n".repeat(100_000));
    expect(html).toContain("Only the first 262 kB are shown");
    expect(html.match(/line\n/g)?.length).toBe(Math.floor(TEXT_HEAD / 5));
    expect(await htmlOf("a.log", "text/plain", "line\n")).not.toContain("Only the first");
  });

  test("Markdown that takes too long is shown as it was written", async () => {
    const html = await htmlOf("a.md", "text/markdown", "![".repeat(100_000));
    expect(elementsOf(html).map(({ tag }) => tag)).toContain("pre");
    expect(html).not.toContain("<article");
  });
});

test("bytes that only say that they are text are not shown", async () => {
  expect(await htmlOf("a.txt", "text/plain", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0]))).toBe("");
  expect(await htmlOf("a.zip", "application/zip", "PK")).toBe("");
});

describe("what the browser shows by itself", () => {
  test.each([
    ["image/png", "img"],
    ["audio/mpeg", "audio"],
    ["video/mp4", "video"],
    ["application/pdf", "section"],
  ])("%s stands in %s and comes from its view", async (type, tag) => {
    const html = await htmlOf('"><script>alert(1)</script>', type, "x");
    expect(strangers(html)).toEqual([]);
    const element = elementsOf(html).find((one) => one.tag === tag);
    const attributes = Object.fromEntries(element?.attributes ?? []);
    expect(attributes.src ?? attributes["data-pdf"]).toMatch(/^\/f\/shown-\d+\/view$/);
    expect(sources(html).filter(([, value]) => !/^\/(?:assets|f)\/[\w./-]+$/.test(value))).toEqual([]);
  });

  test("a PDF says without JavaScript what to do", async () => {
    expect(await htmlOf("a.pdf", "application/pdf", "%PDF")).toContain("needs JavaScript. Download the file");
  });
});

function unescapeHtml(html: string): string {
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
