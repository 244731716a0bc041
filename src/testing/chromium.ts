import { existsSync } from "node:fs";

// Nothing but the runtime is imported here: the set-up asks for a browser before the packages are installed.

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const onMac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** The browser that page tests drive: `$CHROME_PATH`, else the first one found. Undefined when there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CHROME_PATH;
  const places = named ? [named] : [...names.map((name) => Bun.which(name)), onMac];
  return places.find((path) => path !== null && existsSync(path)) ?? undefined;
}

/** As findChromium; throws how to get one. */
export function chromiumPath(): string {
  const found = findChromium();
  if (found) return found;
  const named = process.env.CHROME_PATH;
  throw new Error(
    named
      ? `CHROME_PATH names ${named}, and there is no such file.`
      : "The page tests need a Chromium. Install one (apt-get install chromium), or set CHROME_PATH to yours.",
  );
}

/** Chromium refuses its sandbox to root, which is who runs tests in a container. */
export const chromiumArgs = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
