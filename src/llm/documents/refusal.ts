import { WisError } from "../../errors.ts";

const reasons = {
  empty: ["is empty.", "Attach a file that has something in it."],
  unknown: [
    "is of a kind that can't be read.",
    "Attach text, code, a PDF, a Word document (.docx) or an image (PNG, JPEG, WebP, GIF).",
  ],
  locked: ["is protected by a password.", "Save it without the password and attach it again."],
  broken: ["is damaged and can't be read.", "Open it, save it anew and attach it again."],
  textless: ["holds no text.", "If its pages are pictures, attach them as images."],
  large: ["is too large to be read.", "Attach only the part that the question is about."],
  heavy: ["is larger than 8 MB.", "Attach a smaller version of the image."],
  slow: ["took too long to read.", "Attach only the part that the question is about."],
} as const;

/** Why a file can't be read. */
export type Refusal = keyof typeof reasons;

/** The attachment.unreadable of that file. */
export function unreadable(name: string, refusal: Refusal, cause?: unknown): WisError {
  const [what, hint] = reasons[refusal];
  return new WisError("attachment.unreadable", { say: `${name} ${what}`, hint, cause });
}
