import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../testing/chromium.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";

// A browser on a busy machine; a test that times out also costs the browser that the others share.
setDefaultTimeout(30_000);

let browser: Browser;
let web: TestWeb;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
  web = await openTestWeb({ bot: { state: "ready", detail: "", inviteUrl: "https://discord.test/invite" } });
});
afterAll(async () => {
  await browser?.close();
  await web?.[Symbol.asyncDispose]();
});

/** A page of a fresh profile. Whatever the browser refuses or a script throws fails the test at the end. */
async function openPage(options: BrowserContextOptions = {}): Promise<Page & AsyncDisposable> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) wrong.push(message.text());
  });
  return Object.assign(page, {
    async [Symbol.asyncDispose]() {
      await context.close();
      expect(wrong).toEqual([]);
    },
  });
}

describe("every page", () => {
  test.each(["light", "dark"] as const)("fits a small phone and is readable, %s", async (colorScheme) => {
    const used = await web.link();
    const share = (
      await (await fetch(`${used}/${"long-".repeat(30)}.txt`, { method: "PUT", body: "x" })).text()
    ).trim();
    await using page = await openPage({ viewport: { width: 360, height: 740 }, colorScheme });
    for (const url of [web.url, await web.link(), used, share, `${web.url}/nothing`]) {
      await page.goto(url);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      expect(await page.evaluate(faint)).toEqual([]);
      expect((await page.screenshot()).length).toBeGreaterThan(1000);
    }
  });

  test("has a title, one main heading and a language", async () => {
    await using page = await openPage();
    for (const url of [web.url, await web.link(), await web.share("a.txt", "x"), `${web.url}/nothing`]) {
      await page.goto(url);
      expect(await page.title()).toContain("WisBot");
      expect(await page.locator("h1").count()).toBe(1);
      expect(await page.getAttribute("html", "lang")).toBe("en");
    }
  });

  test("has a download button that downloads under the file's name", async () => {
    await using page = await openPage();
    await page.goto(await web.share("Grüße.txt", "hello", "text/plain"));
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: /Download/ }).click();
    expect((await download).suggestedFilename()).toBe("Grüße.txt");
  });
});

/** Runs in the page: texts whose contrast is below WCAG AA (4.5, or 3 for large ones). */
function faint(): string[] {
  const parse = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = parse(color).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element: Element | null): string => {
    if (!element) return "rgb(255, 255, 255)";
    const color = getComputedStyle(element).backgroundColor;
    return parse(color)[3] === 0 ? ground(element.parentElement) : color;
  };
  const found: string[] = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    if (!own || element.getClientRects().length === 0) continue;
    const { color, fontSize } = getComputedStyle(element);
    const [a, b] = [luminance(color), luminance(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < (Number.parseFloat(fontSize) >= 24 ? 3 : 4.5)) {
      found.push(`${element.textContent?.trim()}: ${contrast.toFixed(2)}`);
    }
  }
  return found;
}
