import { type ErrorCode, isWisError, toWisError } from "../errors.ts";
import { errorText } from "../telemetry/error-text.ts";
import { createRedactor, secretsIn } from "../telemetry/redact.ts";
import { type ExitCode, exit } from "./command.ts";
import { note, paint } from "./output.ts";

/** What ends with another code than 1. */
const exitCodes: Partial<Record<ErrorCode, ExitCode>> = {
  usage: exit.usage,
  "config.invalid": exit.config,
  "config.missing": exit.config,
  // Both are asked for at the start and mended in the configuration or in Discord's portal.
  "discord.token_refused": exit.config,
  "discord.intents_refused": exit.config,
};

/** The exit code that a thrown value means. */
export function exitCodeOf(error: unknown): ExitCode {
  return exitCodes[toWisError(error).code] ?? exit.failed;
}

/** The whole cause chain with its stacks, without secrets. */
export function fullText(error: unknown): string {
  return createRedactor(secretsIn(process.env)).text(errorText(error).stack);
}

/** Tells a failed command to the person, on stderr: what happened, what to do, and with `debug` where. */
export function tellError(error: unknown, { debug }: { debug: boolean }): void {
  const { say, hint } = toWisError(error);
  const seeWhere = debug ? undefined : "Run it again with --log-level debug to see where.";
  const next = isWisError(error) ? hint : seeWhere;
  note(`${paint("red", "Error:", "stderr")} ${say}`);
  if (next !== undefined) note(`${paint("cyan", "Try:", "stderr")} ${next}`);
  if (debug) note(fullText(error));
}
