import { afterEach, expect, test } from "bun:test";
import { chromiumPath } from "./chromium.ts";

const before = process.env.CHROME_PATH;
afterEach(() => {
  if (before === undefined) delete process.env.CHROME_PATH;
  else process.env.CHROME_PATH = before;
});

test("CHROME_PATH decides which browser is driven", () => {
  process.env.CHROME_PATH = process.execPath;
  expect(chromiumPath()).toBe(process.execPath);
});

test("without a browser the page tests fail with what to do, and are never skipped", () => {
  process.env.CHROME_PATH = "/nowhere/chromium";
  expect(chromiumPath).toThrow("CHROME_PATH names /nowhere/chromium");
});
