import { escapeMarkdown } from "discord.js";
import type { WisError } from "../errors.ts";

// Words on their way into a message: what people, files and models brought in is shown, never acted on.

/** The most that a message's content may have, in UTF-16 code units. */
export const CONTENT_LIMIT = 2_000;

/** An error as its person sees it. `errorId` leads the operator to its trace. */
export function errorText({ say, hint }: WisError, errorId: string): string {
  const footer = `\n-# Error id \`${errorId}\``;
  // It may name what somebody typed: that hides no address behind other words.
  const words = ["⚠️ ", say, hint ? `\n${hint}` : ""].join("").replaceAll("](", "] (");
  return truncate(words, CONTENT_LIMIT - footer.length) + footer;
}

/** Small print under a text. */
export function note(text: string): string {
  return `-# ${text}`;
}

/** Under an answer that wisbot did not live to finish. */
export const interruptedMark = note(
  "⚠️ Interrupted: WisBot stopped while this was being answered. Ask again.",
);

/** A moment that Discord shows as "in 3 hours". */
export function relativeTime(at: number): string {
  return `<t:${Math.floor(at / 1000)}:R>`;
}

/** A name as it stands, on one line, whatever Markdown it holds: at most `limit` code units with all that keeps it from being read as such. */
export function plain(name: string, limit = 200): string {
  const oneLine = name.replace(/\s+/g, " ").trim();
  let kept = Math.min(oneLine.length, limit);
  for (;;) {
    // discord.js takes several links for one, and escapes the first.
    const text = escapeMarkdown(truncate(oneLine, kept), { heading: true, bulletedList: true }).replaceAll(
      "[",
      "\\[",
    );
    if (text.length <= limit) return text;
    kept = Math.max(1, kept - Math.max(1, Math.floor((text.length - limit) / 2)));
  }
}

/** At most `limit` code units, with an ellipsis where something went, and no half of a surrogate pair. */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
