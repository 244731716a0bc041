import { DiagLogLevel, diag } from "@opentelemetry/api";
import type { Log } from "./ports.ts";

// OpenTelemetry tells its own troubles (a bad OTEL_* variable, a span used after its end) to one logger a process, and
// by default to nobody. Every wisbot of the process hears it.
const listeners = new Set<Log>();

const tell =
  (level: "warn" | "error") =>
  (message: string, ...details: unknown[]): void => {
    for (const log of listeners) log[level]({ details }, `OpenTelemetry: ${message}`);
  };

const ignore = () => {};

/** Writes OpenTelemetry's own warnings and errors to `log` until it is disposed. */
export function listenToDiagnostics(log: Log): Disposable {
  if (listeners.size === 0) {
    diag.setLogger(
      { error: tell("error"), warn: tell("warn"), info: ignore, debug: ignore, verbose: ignore },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
  }
  listeners.add(log);
  return {
    [Symbol.dispose]() {
      listeners.delete(log);
      if (listeners.size === 0) diag.disable();
    },
  };
}
