import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../chromium.ts";
import { type Demo, startDemo } from "./demo.ts";

/** A demo and a browser in front of it, for a whole file of tests. */
export interface OpenDemo extends AsyncDisposable {
  /** A page of its own; `place` as in `?as=ada&channel=quiet`. */
  openPage(place?: string): Promise<Page>;
}

/** Slow enough that what somebody presses comes in the middle of a long answer. */
const TOKENS_PER_SECOND = 20;

export async function openDemo(): Promise<OpenDemo> {
  const [demo, browser]: [Demo, Browser] = await Promise.all([
    startDemo({ port: 0, tokensPerSecond: TOKENS_PER_SECOND }),
    chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs }),
  ]);
  return {
    async openPage(place = "") {
      const page = await browser.newPage({ baseURL: demo.url });
      page.setDefaultTimeout(10_000);
      await page.goto(`/${place}`);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await demo.stop();
    },
  };
}

/** Writes a line and sends it. */
export async function type(page: Page, line: string): Promise<void> {
  await page.getByLabel("Message").fill(line);
  await page.getByRole("button", { name: "Send" }).click();
}

export const chat = (page: Page): Locator => page.locator("#messages");

/** The messages in the chat, or those with these words. */
export function articles(page: Page, hasText = ""): Locator {
  return chat(page).getByRole("article").filter({ hasText });
}

/** Goes where a step of the guide leads, counted from 0, and sends what is written there. */
export async function takeStep(page: Page, title: string, step: number): Promise<void> {
  const file = await chooseStep(page, title, step);
  if (file !== "") await page.locator(".pick").getByText(file).waitFor();
  await page.getByRole("button", { name: "Send" }).click();
}

/** Goes where a step leads and waits until its line is written there. Gives the name of the file that goes along. */
export async function chooseStep(page: Page, title: string, step: number): Promise<string> {
  const one = page.getByLabel("Guide").getByRole("listitem").filter({ hasText: title }).first();
  const link = one.getByRole("link").nth(step);
  if (!(await link.isVisible())) await one.getByText(title).click();
  const { searchParams } = new URL((await link.getAttribute("href")) ?? "", page.url());
  const wanted = (name: string) => searchParams.get(name) ?? "";
  await link.click();
  await page.locator(`input[name="as"][value="${wanted("as")}"]`).waitFor({ state: "attached" });
  await page.waitForFunction(
    (line) => document.querySelector<HTMLInputElement>('[name="line"]')?.value === line,
    wanted("line"),
  );
  return wanted("file");
}
