import { WisError } from "../../errors.ts";
import { systemCode } from "../data-dir.ts";

/** Runs work on the disk; what it throws becomes a WisError disk.full or disk.failed. */
export async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw diskFailure(doing, cause);
  }
}

/** The disk's refusal in words for members; `doing` and the cause are for the operator. */
export function diskFailure(doing: string, error: unknown): WisError {
  if (error instanceof WisError) return error;
  const code = systemCode(error);
  const cause = new Error(`${doing} a blob failed${code === undefined ? "" : ` (${code})`}`, {
    cause: error,
  });
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new WisError("disk.full", {
      say: "The server's disk has no room for this file.",
      hint: "Try again later, or tell the admin that the disk is full.",
      cause,
    });
  }
  return new WisError("disk.failed", {
    say: "The server's disk refused to work.",
    hint: "Try again later; if it keeps failing, the admin should run wisbot doctor.",
    cause,
  });
}
