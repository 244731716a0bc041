import { WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Usage } from "./ports.ts";

const MiB = 2 ** 20;

// What an upload of unknown length reserves ahead. Small enough not to crowd out the owner's other uploads, and it
// grows, so that a gigabyte takes some seventy statements instead of a thousand.
const FIRST_STEP = MiB;
const LARGEST_STEP = 16 * MiB;

/** How much an upload of unknown length reserves next, once `needed` bytes outgrow what it has. */
export function nextReservation(needed: number, maxFileSize: number): number {
  const step = Math.min(Math.max(needed, FIRST_STEP), LARGEST_STEP);
  return Math.max(needed, Math.min(needed + step, maxFileSize));
}

/** Which of the owner's quotas has no room for `size` more bytes (and one more file, if `addsFile`), in words. */
export function overQuota(usage: Usage, limits: FileLimits, addsFile: boolean): WisError {
  return addsFile && usage.files >= limits.maxFiles ? tooManyFiles(limits) : tooManyBytes(usage, limits);
}

export function tooManyFiles({ maxFiles }: FileLimits): WisError {
  return new WisError("quota.files", {
    say: `That would be more than the ${maxFiles} files and open links that one person may have.`,
    hint: "Delete a file, or wait until one or an unused link expires.",
  });
}

export function tooManyBytes({ bytes }: Usage, { maxBytes }: FileLimits): WisError {
  const left = formatBytes(Math.max(maxBytes - bytes, 0));
  return new WisError("quota.bytes", {
    say: `There is no room for this file: ${left} of ${formatBytes(maxBytes)} are left for its owner.`,
    hint: "Delete a file or wait until one expires, then send this one again.",
  });
}

export function tooLarge({ maxFileSize }: FileLimits): WisError {
  return new WisError("file.too_large", {
    say: `The file is larger than ${formatBytes(maxFileSize)}, the most that is taken here.`,
    hint: "Make it smaller, or split it into several files.",
  });
}
