import { WisError } from "../errors.ts";
import type { Check, Finding, Severity } from "./ports.ts";

/** What a check found, for people and scripts. `fix` is null where there is nothing to mend. */
export interface CheckResult {
  code: string;
  severity: Severity;
  title: string;
  detail: string;
  fix: string | null;
  /** How long it took, whole milliseconds. */
  ms: number;
}

export interface RunChecksOptions {
  /** Only checks with these codes, in the order of `checks`. */
  only?: readonly string[] | undefined;
  /** Only checks that need nothing beyond this machine. */
  preflight?: boolean;
  signal: AbortSignal;
  /** What one check may take. They all run at once, so the whole takes hardly longer. */
  limitMs?: number;
}

/** One check may take 5 s; all together then stay well under 10. */
const LIMIT_MS = 5_000;

function chosen(checks: readonly Check[], { only, preflight }: RunChecksOptions): Check[] {
  const known = checks.map(({ code }) => code);
  const unknown = only?.filter((code) => !known.includes(code)) ?? [];
  if (unknown.length > 0) {
    throw new WisError("usage", {
      say: `There is no check ${unknown.join(", ")}.`,
      hint: `Choose from: ${known.join(", ")}`,
    });
  }
  return checks.filter(
    ({ code, offline }) => (only?.includes(code) ?? true) && (offline || preflight !== true),
  );
}

/** Rejects when `signal` aborts, also while a check does not listen to it. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

function silent(limitMs: number): Omit<CheckResult, "code" | "title" | "ms"> {
  return {
    severity: "crash",
    detail: `No answer within ${limitMs / 1000} s.`,
    fix: "Run it again; if it stays silent, see whether this machine or what it asks is overloaded.",
  };
}

function broken(error: unknown): Omit<CheckResult, "code" | "title" | "ms"> {
  return {
    severity: "crash",
    detail: `The check itself failed: ${error instanceof Error ? error.message : Bun.inspect(error)}`,
    fix: "Run wisbot doctor --log-level debug to see where, and report it.",
  };
}

async function runCheck(
  check: Check,
  { signal, limitMs, onCrash }: { signal: AbortSignal; limitMs: number; onCrash: (error: unknown) => void },
): Promise<CheckResult> {
  const { code, title } = check;
  const started = performance.now();
  const within = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const done = ({ severity, detail, fix = null }: Finding | ReturnType<typeof broken>): CheckResult => {
    return { code, severity, title, detail, fix, ms: Math.round(performance.now() - started) };
  };
  try {
    return done(await Promise.race([Promise.try(() => check.run(within)), aborted(within)]));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    onCrash(error);
    return done(within.aborted ? silent(limitMs) : broken(error));
  }
}

/**
 * Asks every check at once. One that throws or stays silent for 5 s is a `crash`, never a reason for the others to be
 * missing; `onCrash` gets what it threw. [usage when `only` names a check that does not exist]
 */
export async function runChecks(
  checks: readonly Check[],
  options: RunChecksOptions & { onCrash?: (error: unknown) => void },
): Promise<CheckResult[]> {
  const { signal, limitMs = LIMIT_MS, onCrash = () => undefined } = options;
  return await Promise.all(
    chosen(checks, options).map((check) => runCheck(check, { signal, limitMs, onCrash })),
  );
}
