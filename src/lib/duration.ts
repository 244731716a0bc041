import ms, { type StringValue } from "ms";

/**
 * Reads a duration with its unit, such as `500ms`, `30s`, `5m`, `24h` or `7d`, into milliseconds.
 * Gives undefined for anything else: a bare number has no unit and is refused.
 */
export function parseDuration(text: string): number | undefined {
  // ms throws at a hundred characters.
  if (text.length > 50 || !/^\s*\d+(?:\.\d+)?\s*(?:ms|s|m|h|d|w)\s*$/i.test(text)) return undefined;
  const parsed = ms(text.trim() as StringValue);
  return Number.isSafeInteger(Math.round(parsed)) ? Math.round(parsed) : undefined;
}

/** `604_800_000` → `7 days`. For people; rounds to the largest unit. */
export function formatDuration(milliseconds: number): string {
  return ms(milliseconds, { long: true });
}
