import { existsSync } from "node:fs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser that page tests drive: `$CHROME_PATH`, else the first one found. Throws how to get one. */
export function chromiumPath(): string {
  const named = process.env.CHROME_PATH;
  const found = named ? [named].find((path) => existsSync(path)) : PLACES.find((path) => existsSync(path));
  if (found) return found;
  throw new Error(
    named
      ? `CHROME_PATH names ${named}, and there is no such file.`
      : "The page tests need a Chromium. Install one (apt-get install chromium), or set CHROME_PATH to yours.",
  );
}

/** Chromium refuses its sandbox to root, which is who runs tests in a container. */
export const chromiumArgs = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
