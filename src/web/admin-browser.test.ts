import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../testing/chromium.ts";
import { remember } from "../testing/inference-history.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";

// A browser on a busy machine.
setDefaultTimeout(30_000);

const ada = "100000000000000001";
const bob = "100000000000000002";

let browser: Browser;
let web: TestWeb;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
  web = await openTestWeb({ config: { llm: { keep_content: true } } });
  for (let at = 0; at < 60; at += 1) {
    const model = at === 0 ? `hf.co/somebody/${"Long-".repeat(12)}GGUF:Q4_K_M` : "llama3.2";
    await remember(web.store, {
      userId: at % 6 ? ada : bob,
      createdAt: at,
      model,
      question: `Number ${at}?`,
    });
  }
});
afterAll(async () => {
  await browser?.close();
  await web?.[Symbol.asyncDispose]();
});

test("an admin signs in, filters, turns the pages, reads and signs out, with the keyboard and without JavaScript", async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  const { key } = await web.admins.invite();
  await page.goto(`${web.url}/admin/enter/${key}`);
  await page.getByRole("button", { name: "Sign in" }).press("Enter");
  await page.getByRole("heading", { name: "Inference history" }).waitFor();

  await page.getByRole("link", { name: "Older" }).press("Enter");
  await page.getByRole("link", { name: "Newest" }).waitFor();
  const rows = page.locator("tbody", { hasText: "How it ended" });
  expect(await rows.count()).toBe(10);
  await page.getByText("Question and answer").last().press("Enter");
  expect(await page.getByText("Number 0?").isVisible()).toBe(true);

  await page.getByLabel("User id").fill(bob);
  await page.getByLabel("User id").press("Enter");
  await page.getByRole("link", { name: "Show all" }).waitFor();
  expect(await rows.count()).toBe(10);
  expect(await page.getByRole("link", { name: ada }).count()).toBe(0);

  await page.getByRole("button", { name: "Sign out" }).press("Enter");
  await page.waitForURL(`${web.url}/`);
  await page.goto(`${web.url}/admin/history`);
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("This page is for the admin.");
  await page.close();
});

test.each([
  [360, "light"],
  [820, "dark"],
  [1280, "light"],
] as const)("it fits %d pixels, %s, with what was asked open", async (width, colorScheme) => {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  const refused: string[] = [];
  page.on("console", ({ text }) => refused.push(text()));
  const { key } = await web.admins.invite();
  await page.goto(`${web.url}/admin/enter/${key}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Older" }).click();
  await page.getByRole("link", { name: "Newest" }).waitFor();
  await page.getByText("Question and answer").last().click();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  expect(refused).toEqual([]);
  await page.close();
});
