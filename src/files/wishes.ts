import { WisError } from "../errors.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Sharing } from "./files.ts";
import { hashPassword } from "./password.ts";
import type { Wishes } from "./ports.ts";

/** Files of one bundle: what a page still lists and a ZIP's directory still fits into memory for. */
export const MAX_MEMBERS = 2_000;
const MAX_TITLE = 120;
const MAX_NOTE = 2_000;
/** The highest number of downloads that a sender can say. */
export const MAX_DOWNLOADS = 1_000_000;

/** What a sender wants, checked and kept to what may be kept: the password as its hash. Throws WisError `share.invalid`. */
export async function wishesOf(sharing: Sharing): Promise<Wishes> {
  const { title, note, password, maxDownloads, expireAfter } = sharing;
  return {
    title: shortText(title, MAX_TITLE, "title"),
    note: shortText(note, MAX_NOTE, "note"),
    passwordHash: password === undefined || password === "" ? null : await hashPassword(password),
    maxDownloads:
      maxDownloads === undefined ? null : wholeNumber(maxDownloads, MAX_DOWNLOADS, "number of downloads"),
    expireAfter:
      expireAfter === undefined ? null : wholeNumber(expireAfter, Number.MAX_SAFE_INTEGER, "expiry"),
  };
}

/** Whether anything is wished: what is said replaces all that was said before, and nothing said leaves it. */
export function saysAny({ files: _, ...wishes }: Sharing): boolean {
  return Object.values(wishes).some((wish) => wish !== undefined);
}

/** How many files a bundle waits for; null for one file alone. Throws WisError `share.invalid`. */
export function expectedOf({ files }: Pick<Sharing, "files">): number | null {
  if (files === undefined) return null;
  const expected = wholeNumber(files, MAX_MEMBERS, "number of files");
  return expected === 1 ? null : expected;
}

/** How long a share is kept: as its sender wants, within the admin's bounds, which don't bind an admin. Milliseconds. */
export function lifeOf(
  { expireAfter }: Pick<Wishes, "expireAfter">,
  limits: FileLimits,
  byAdmin = false,
): number {
  const wished = expireAfter ?? limits.expireAfter;
  return byAdmin ? wished : Math.min(wished, limits.maxExpireAfter);
}

/** Control and direction-changing characters would let a title show what is not there. */
const HIDDEN = /[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

function shortText(text: string | undefined, max: number, what: string): string | null {
  const tidy = (text ?? "")
    .replace(/\r\n?/g, "\n")
    .split("\n")
    .map((line) => line.replace(HIDDEN, "").trimEnd())
    .join("\n")
    .trim();
  if (tidy === "") return null;
  if (tidy.length > max) throw invalid(`The ${what} is longer than ${max} characters.`, "Shorten it.");
  return tidy;
}

function wholeNumber(value: number, max: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw invalid(`The ${what} must be a whole number from 1 to ${max}.`, "Correct it and try again.");
}

function invalid(say: string, hint: string): WisError {
  return new WisError("share.invalid", { say, hint });
}
