import { WisError } from "../errors.ts";
import type { Sharing } from "../files/files.ts";
import { parseDuration } from "../lib/duration.ts";

/** What a sender may say, besides how many files will come. */
export const SETTINGS = ["title", "note", "password", "expires", "max_downloads"] as const;

/** What is misspelt must not pass for a password that was set. Throws WisError `share.invalid`. */
export function refuseUnknown(names: Iterable<string>, known: readonly string[] = SETTINGS): void {
  const unknown = [...names].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const named = unknown.slice(0, 5).map((name) => name.slice(0, 40));
  throw new WisError("share.invalid", {
    say: `There is no such setting: ${named.join(", ")}.`,
    hint: `These there are: ${known.join(", ")}.`,
  });
}

/**
 * What a sender wants, from a form's fields or a query: `title`, `note`, `password`, `expires` (such as `7d`),
 * `max_downloads` and `files`. An empty text says that there shall be none. Throws WisError `share.invalid`.
 */
export function sharingFrom(said: (name: string) => string | undefined): Sharing {
  const text = (name: string) => said(name)?.trim() || undefined;
  const [title, note, password, files, expires, maxDownloads] = [
    said("title"),
    said("note"),
    said("password"),
    number(text("files"), "number of files"),
    text("expires"),
    number(text("max_downloads"), "number of downloads"),
  ];
  return {
    ...(title !== undefined && { title }),
    ...(note !== undefined && { note }),
    ...(password !== undefined && { password }),
    ...(files !== undefined && { files }),
    ...(maxDownloads !== undefined && { maxDownloads }),
    ...(expires !== undefined && { expireAfter: duration(expires) }),
  };
}

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (parsed !== undefined && parsed > 0) return parsed;
  throw invalid("The expiry is not a time such as 12h or 7d.", "Write a number with m, h or d behind it.");
}

function number(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(`The ${what} is not a whole number.`, "Write it in digits.");
}

function invalid(say: string, hint: string): WisError {
  return new WisError("share.invalid", { say, hint });
}
