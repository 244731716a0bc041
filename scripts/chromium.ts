import { existsSync } from "node:fs";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The browser that the page tests drive: `$CHROME_PATH`, else the first on the PATH. */
export function findChromium(): string | undefined {
  const named = process.env.CHROME_PATH;
  if (named !== undefined && named !== "") return existsSync(named) ? named : undefined;
  return NAMES.map((name) => Bun.which(name)).find((path) => path !== null) ?? undefined;
}
