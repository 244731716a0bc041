import { expect } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** A page of a fresh profile. Whatever the browser refuses or a script throws fails the test at the end. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page & AsyncDisposable> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) wrong.push(message.text());
  });
  await page.goto(url);
  return Object.assign(page, {
    async [Symbol.asyncDispose]() {
      await context.close();
      expect(wrong).toEqual([]);
    },
  });
}

/** How fast uploads go, bytes a second, -1 for as they can; "offline" takes the network away and tells the page so. */
export type Speed = number | "offline";

/** Sets the page's network, so that there is something to see. */
export async function network(page: Page): Promise<(speed: Speed) => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  return async (speed) => {
    const offline = speed === "offline";
    const line = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: offline ? -1 : speed };
    await session.send("Network.emulateNetworkConditions", line);
  };
}

/** A file of that many bytes, all of them `fill`. */
export const file = (name: string, size: number, fill = 7) => ({
  name,
  mimeType: "video/mp4",
  buffer: Buffer.alloc(size, fill),
});
export const THREE = [
  file("one.mp4", 3_000_000, 1),
  file("two.mp4", 2_000_000, 2),
  file("three.mp4", 1_000_000, 3),
];

/** Waits until this part of everything, 0 to 1, has been sent. */
export const sent = (page: Page, part: number) =>
  page.waitForFunction((least) => {
    const bar = document.querySelector<HTMLProgressElement>("#progress");
    return bar !== null && bar.position > least;
  }, part);

export const upload = (page: Page) => page.locator("#start").click();
export const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
export const done = (page: Page) => page.getByLabel("Link to share").waitFor();
