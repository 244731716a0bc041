import { isWisError } from "../errors.ts";

/** An error as the log shows it. `stack` is the whole chain: its own stack, then each cause's. */
export interface ErrorText {
  type: string;
  code?: string;
  message: string;
  stack: string;
}

/** What libraries hang on their errors and an operator needs: system calls, HTTP, Discord's API. */
const DETAILS = ["code", "errno", "syscall", "status", "status_code", "method", "url"] as const;

/** Low-cardinality name of any thrown value: a WisError's code, else the error's code or class. */
export function errorType(error: unknown): string {
  if (isWisError(error)) return error.code;
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Any thrown value as text, cycles cut. */
export function errorText(error: unknown): ErrorText {
  const code = detail(error, "code");
  return {
    type: error instanceof Error ? error.name : typeof error,
    ...(code !== undefined && { code }),
    message: error instanceof Error ? error.message : Bun.inspect(error),
    stack: chainText(error, []),
  };
}

function chainText(error: unknown, above: readonly unknown[]): string {
  if (above.includes(error)) return "[circular]";
  if (!(error instanceof Error)) return Bun.inspect(error);
  const inside = [...above, error];
  const parts = [ownText(error)];
  if (error instanceof AggregateError) {
    for (const [index, one] of error.errors.entries()) {
      parts.push(`Error ${index + 1} of ${error.errors.length}: ${chainText(one, inside)}`);
    }
  }
  if ("suppressed" in error) parts.push(`Suppressed: ${chainText(error.suppressed, inside)}`);
  if (error.cause !== undefined && error.cause !== null) {
    parts.push(`Caused by: ${chainText(error.cause, inside)}`);
  }
  return parts.join("\n");
}

function ownText(error: Error): string {
  const head = `${error.name}: ${error.message}`;
  const details = DETAILS.flatMap((name) => {
    const value = detail(error, name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  // A refused fetch has no stack under Bun, others have one that lacks the message.
  const stack = error.stack?.includes(error.message)
    ? error.stack
    : [head, error.stack].filter(Boolean).join("\n");
  return details.length === 0 ? stack : `${stack}\n    (${details.join(", ")})`;
}

function detail(error: unknown, name: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
