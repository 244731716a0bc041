/**
 * Every way wisbot can fail on purpose. A code names the failure for machines (HTTP status, exit code, metrics);
 * `say` and `hint` name it for people. Each edge maps codes in one table of its own.
 */
export const errorCodes = [
  "usage",
  "internal",
  "not_found",
  "forbidden",
  "cross_site",
  "bad_request",
  "rate_limited",
  "shutting_down",
  "config.invalid",
  "config.missing",
  "config.exists",
  "config.unwritable",
  "data_dir.unwritable",
  "data_dir.locked",
  "database.corrupt",
  "database.newer",
  "database.failed",
  "disk.full",
  "disk.failed",
  "port.in_use",
  "ticket.unknown",
  "ticket.used",
  "ticket.expired",
  "ticket.busy",
  "file.unknown",
  "file.spent",
  "password.needed",
  "password.wrong",
  "file.too_large",
  "file.name_invalid",
  "file.corrupt",
  "range.unsatisfiable",
  "precondition.failed",
  "quota.files",
  "quota.bytes",
  "quota.llm",
  "upload.unknown",
  "upload.offset",
  "upload.finished",
  "upload.cut",
  "upload.slow",
  "upload.length_mismatch",
  "share.invalid",
  "token.unknown",
  "token.limit",
  "admin.sign_in",
  "admin.link_spent",
  "attachment.refused",
  "attachment.failed",
  "attachment.unreadable",
  "announce.undeliverable",
  "discord.token_refused",
  "discord.intents_refused",
  "discord.unreachable",
  "discord.failed",
  "llm.off",
  "llm.model_refused",
  "llm.pull_failed",
  "llm.unreachable",
  "llm.model_missing",
  "llm.queue_full",
  "llm.host_busy",
  "llm.cut",
  "llm.timeout",
  "llm.stopped",
  "llm.interrupted",
  "llm.bad_reply",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface WisErrorText {
  /** One sentence for the person: what happened. No internals, no secrets. */
  say: string;
  /** What the person can do next, as an imperative sentence. */
  hint?: string | undefined;
  /** What went wrong underneath, for the operator. Never shown to members. */
  cause?: unknown;
}

/** The one error class. `message` equals `say`, so that it reads well wherever it surfaces. */
export class WisError extends Error {
  override readonly name = "WisError";
  readonly code: ErrorCode;
  readonly say: string;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, { say, hint, cause }: WisErrorText) {
    super(say, cause === undefined ? undefined : { cause });
    this.code = code;
    this.say = say;
    this.hint = hint;
  }
}

/** True when `error` is a WisError, optionally of one of the given codes. */
export function isWisError(error: unknown, ...codes: ErrorCode[]): error is WisError {
  return error instanceof WisError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * What a person may be told about any thrown value: a WisError speaks for itself, everything else is an
 * internal failure whose details stay in the trace.
 */
export function toWisError(error: unknown): WisError {
  if (error instanceof WisError) return error;
  return new WisError("internal", {
    say: "Something went wrong inside WisBot.",
    hint: "Try again; if it keeps failing, give the error id to the admin.",
    cause: error,
  });
}

/** The error and all its causes, outermost first. Stops at a cycle. */
export function causeChain(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let current = error; current !== undefined && current !== null && !chain.includes(current); ) {
    chain.push(current);
    current = current instanceof Error ? current.cause : undefined;
  }
  return chain;
}
