const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "short" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

function fromNow(at: number): string {
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? (["second", 1] as const);
  return relative.format(Math.round(seconds / size), unit);
}

function inWords(at: Date, style: string | undefined): string {
  if (style === "R") return fromNow(at.getTime());
  return style === "t" ? clock.format(at) : full.format(at);
}

/** Puts every moment on the page into the reader's own words. */
export function tellTimes(): void {
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const words = inWords(at, time.dataset.style);
    if (time.textContent !== words) time.textContent = words;
    time.title = full.format(at);
  }
}
