import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { freePort } from "../lib/free-port.ts";
import { chromiumArgs, chromiumPath } from "../testing/chromium.ts";
import { incoming } from "../testing/file-desk.ts";
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

describe("over plain http, by another name than this machine's own", () => {
  let named: Browser;
  let one: TestWeb;
  beforeAll(async () => {
    named = await chromium.launch({
      executablePath: chromiumPath(),
      args: [...chromiumArgs, "--host-resolver-rules=MAP wis.test 127.0.0.1"],
    });
    const port = freePort();
    one = await openTestWeb({ port, config: { web: { public_url: `http://wis.test:${port}` } } });
  });
  afterAll(async () => {
    await named?.close();
    await one?.[Symbol.asyncDispose]();
  });
  const at = (url: string) => url.replace("127.0.0.1", "wis.test");

  test("a password is taken, and the path of the page is told to nobody", async () => {
    const { id } = await one.files.add({ ownerId: "1", password: "sesame" }, incoming());
    const page = await named.newPage();
    const referrers: (string | undefined)[] = [];
    page.on("request", (request) => referrers.push(request.headers().referer));
    await page.goto(at(`${one.url}/f/${id}`));
    await page.getByLabel("Password").fill("sesame");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("heading", { name: "hello.txt" }).waitFor();
    expect(referrers.filter((referrer) => referrer?.includes(id))).toEqual([]);
    await page.close();
  });

  test("a plain form is taken without JavaScript", async () => {
    const page = await named.newPage({ javaScriptEnabled: false });
    await page.goto(at(await one.link()));
    const file = { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("hello") };
    await page.getByLabel("Files", { exact: true }).setInputFiles(file);
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByRole("link", { name: /a\.txt/ }).waitFor();
    await page.close();
  });
});
