import { WisError } from "../../errors.ts";
import { systemCode } from "../data-dir.ts";
import { diskFailure } from "./disk-failure.ts";

const KEY_REFUSED = {
  say: "The file store refused WisBot's access key.",
  hint: "The admin should check the key, its secret and what it may do in the bucket.",
};
const AWAY = {
  say: "The file store does not answer.",
  hint: "Try again in a few minutes; if it keeps failing, the admin should check its endpoint.",
};
const FAILED = {
  say: "The file store refused to work.",
  hint: "Try again later; if it keeps failing, the admin should run wisbot doctor.",
};

/** S3's codes as its API names them, and those that Bun gives to what happens on the way there. */
const MEANINGS: Record<string, { say: string; hint: string }> = {
  AccessDenied: KEY_REFUSED,
  InvalidAccessKeyId: KEY_REFUSED,
  SignatureDoesNotMatch: KEY_REFUSED,
  ERR_S3_MISSING_CREDENTIALS: KEY_REFUSED,
  AuthorizationHeaderMalformed: {
    say: "The file store lies in another region.",
    hint: "The admin should correct the region in the configuration.",
  },
  NoSuchBucket: {
    say: "The file store has no such bucket.",
    hint: "The admin should create it there, or correct its name in the configuration.",
  },
  RequestTimeTooSkewed: {
    say: "The file store's clock and this server's clock disagree.",
    hint: "The admin should set the clock of this server.",
  },
  ConnectionRefused: AWAY,
  ConnectionClosed: AWAY,
  ECONNREFUSED: AWAY,
  ECONNRESET: AWAY,
  FailedToOpenSocket: AWAY,
  Timeout: AWAY,
  SlowDown: AWAY,
  ServiceUnavailable: AWAY,
};

/** Runs work on an S3 store; what it throws becomes a WisError disk.failed or, of the disk beside it, disk.full. */
export async function attemptS3<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw s3Failure(doing, cause);
  }
}

function s3Failure(doing: string, error: unknown): WisError {
  if (error instanceof WisError) return error;
  const code = systemCode(error);
  const meaning = code === undefined ? undefined : MEANINGS[code];
  if (!meaning && !(error instanceof Error && error.name === "S3Error")) return diskFailure(doing, error);
  const cause = new Error(`${doing} a blob in S3 failed${code === undefined ? "" : ` (${code})`}`, {
    cause: error,
  });
  return new WisError("disk.failed", { ...(meaning ?? FAILED), cause });
}
