import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium, type Locator } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../../testing/chromium.ts";
import { openTestWeb, type TestWeb } from "../../testing/open-test-web.ts";
import { button, done, file, openPage, upload } from "../../testing/upload-page.ts";

// A browser on a busy machine; a test that times out also costs the browser that the others share.
setDefaultTimeout(30_000);

let browser: Browser;
let web: TestWeb;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
  web = await openTestWeb();
});
afterAll(async () => {
  await browser?.close();
  await web?.[Symbol.asyncDispose]();
});

const PERMITTED = { permissions: ["clipboard-read", "clipboard-write"] };

/** What a screen reader says by itself: the region has to be there before it has anything to say. */
const said = async (region: Locator, text: string) => region.filter({ hasText: text }).waitFor();

test("a link that is copied is said aloud, and its button is called by what it copies before and after", async () => {
  await using page = await openPage(browser, await web.link(), PERMITTED);
  const copy = button(page, "Copy the command");
  const region = page.locator(".copyable [role=status]");
  expect([await copy.textContent(), await region.textContent()]).toEqual(["Copy the command", ""]);
  await copy.click();
  await said(region, "Copied");
  await button(page, "Copied the command").click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("curl -T FILE");
  await copy.waitFor();
  expect(await region.textContent()).toBe("");
});

test("what a browser does not let us copy is selected, and that is said aloud", async () => {
  await using page = await openPage(browser, await web.link());
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.execCommand = () => false;
  });
  await button(page, "Copy the command").click();
  await said(page.locator(".copyable [role=status]"), "Press Ctrl+C");
  expect(await page.evaluate(() => String(getSelection()))).toContain("curl -T FILE");
});

test("the link of a finished upload is said aloud when it is copied", async () => {
  await using page = await openPage(browser, await web.link(), PERMITTED);
  await page.locator("#file").setInputFiles(file("one.mp4", 10));
  await upload(page);
  await done(page);
  const region = page.locator(".link-row [role=status]");
  expect(await region.textContent()).toBe("");
  await button(page, "Copy link").click();
  await said(region, "Copied");
});
