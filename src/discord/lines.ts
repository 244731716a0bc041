import { CONTENT_LIMIT } from "./render.ts";

/**
 * One line below the other in one message. Where not all of `listed` fit between `above` and `below`, `more` says how
 * many are missing.
 */
export function linesWithin({
  above = [],
  listed,
  below = [],
  more,
  limit = CONTENT_LIMIT,
}: {
  above?: string[];
  listed: string[];
  below?: string[];
  more: (missing: number) => string;
  limit?: number;
}): string {
  for (let shown = listed.length; ; shown -= 1) {
    const rest = shown < listed.length ? [more(listed.length - shown)] : [];
    const text = [...above, ...listed.slice(0, shown), ...rest, ...below].join("\n");
    if (text.length <= limit || shown === 0) return text;
  }
}
