import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../testing/chromium.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { temporaryFile } from "../testing/temporary-file.ts";

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

/** Holds uploads down to this many bytes a second, so that there is something to see. */
async function slowUploads(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const line = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
  await session.send("Network.emulateNetworkConditions", line);
}

const file = (name: string, size: number) => ({ name, mimeType: "video/mp4", buffer: Buffer.alloc(size, 7) });

describe("the upload page", () => {
  test("takes a chosen file, shows how it goes, and ends with a link that can be copied and opened", async () => {
    await using page = await openPage({ permissions: ["clipboard-read", "clipboard-write"] });
    await page.goto(await web.link());
    await slowUploads(page, 3_000_000);
    await page.setInputFiles("#file", file("holiday.mp4", 4_000_000));
    await page.waitForFunction(() => Number(document.querySelector("progress")?.value) > 20);
    await page.getByText(/MB of 4 MB/).waitFor();
    await page.getByText(/MB\/s · \d+ s left/).waitFor();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const link = await page.getByLabel("Link to the file").inputValue();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
    expect(await page.getByText("curl -T").isVisible()).toBe(false);
    expect((await (await fetch(`${link}/download`)).bytes()).length).toBe(4_000_000);
    await page.getByRole("link", { name: /file’s page/ }).click();
    await page.getByRole("heading", { name: "holiday.mp4" }).waitFor();
  });

  test("takes a dropped file", async () => {
    await using page = await openPage();
    await page.goto(await web.link());
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
      return transfer;
    });
    await page.dispatchEvent("body", "dragover", { dataTransfer: data });
    expect(await page.locator("#drop.over").count()).toBe(1);
    await page.dispatchEvent("body", "drop", { dataTransfer: data });
    await page.getByText("dropped.txt is ready").first().waitFor();
    const link = await page.getByLabel("Link to the file").inputValue();
    expect(await (await fetch(`${link}/download`)).text()).toBe("dropped");
  });

  test("can be cancelled, and takes the same or another file right after", async () => {
    await using page = await openPage();
    await page.goto(await web.link());
    await slowUploads(page, 500_000);
    await page.setInputFiles("#file", file("first.mp4", 5_000_000));
    await page.waitForFunction(() => Number(document.querySelector("progress")?.value) > 5);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Choose a file").waitFor();
    await slowUploads(page, -1);
    await page.setInputFiles("#file", file("second.mp4", 100_000));
    await page.getByText("second.mp4 is ready").first().waitFor();
    expect(await page.getByLabel("Link to the file").inputValue()).toContain("/f/");
  });

  test("offers to try again after a broken connection, and that works", async () => {
    await using page = await openPage();
    await page.goto(await web.link());
    await page.context().setOffline(true);
    await page.setInputFiles("#file", file("holiday.mp4", 200_000));
    await page.getByText("The connection broke off").waitFor();
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("holiday.mp4 is ready").first().waitFor();
  });

  test("shows what the server says, with the error id", async () => {
    await using page = await openPage();
    const link = await web.link();
    await page.goto(link);
    await fetch(`${link}/faster.txt`, { method: "PUT", body: "x" });
    await page.setInputFiles("#file", file("late.mp4", 1000));
    await page.getByText("already used").waitFor();
    await page.getByText(/Error id [0-9a-f]{32}/).waitFor();
  });

  test("refuses a file that is too large without sending a byte of it", async () => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "1MB" } } });
    await using page = await openPage();
    await page.goto(await one.link());
    const sent: string[] = [];
    page.on("request", (request) => request.method() === "PUT" && sent.push(request.url()));
    await page.setInputFiles("#file", file("big.mp4", 1_000_001));
    await page.getByRole("alert").getByText("at most 1 MB fit").waitFor();
    expect(sent).toEqual([]);
  });

  test("works with the keyboard alone", async () => {
    await using page = await openPage();
    await using chosen = await temporaryFile("typed.txt", new TextEncoder().encode("typed"));
    // Asked for before the page loads: Playwright takes the dialog's place only from then on.
    const chooser = page.waitForEvent("filechooser");
    await page.goto(await web.link());
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("file");
    await page.keyboard.press("Space");
    await (await chooser).setFiles(chosen.path);
    await page.getByText("typed.txt is ready").first().waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("copy");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "typed.txt" }).waitFor();
  });

  test("tells screen readers how it goes", async () => {
    await using page = await openPage();
    await page.goto(await web.link());
    await page.setInputFiles("#file", file("holiday.mp4", 1000));
    await page
      .locator("[aria-live=polite]")
      .getByText("holiday.mp4 is ready to be shared.")
      .waitFor({ state: "attached" });
  });

  test("says without JavaScript how curl does it, and offers nothing that does not work", async () => {
    await using page = await openPage({ javaScriptEnabled: false });
    const link = await web.link();
    await page.goto(link);
    // Playwright finds no text in noscript; a locator does, and waits until it is seen.
    await page.locator("noscript p").waitFor();
    await page.getByText(`curl -T FILE ${link}/`).waitFor();
    expect(await page.locator("button:visible, input:visible").count()).toBe(0);
  });
});

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
