import { exit } from "./command.ts";
import { note } from "./output.ts";
import { fullText } from "./report.ts";

/** Records what nobody caught. May take its time (flush the log and the trace); then the process ends. */
export type FatalRecorder = (error: unknown, doing: string) => void | Promise<void>;

function toStderr(error: unknown, doing: string): void {
  note(
    `Error: WisBot ended because of a defect (${doing}).\nTry: Report it with these lines.\n${fullText(error)}`,
  );
}

const events = {
  uncaughtException: "uncaught exception",
  unhandledRejection: "unhandled rejection",
} as const;

/**
 * Hands whatever nobody caught to `record`, then ends the process with 1. The latest call takes over: main starts with
 * stderr, `serve` goes on with the log and the trace.
 */
export function recordFatal(record: FatalRecorder = toStderr): void {
  for (const [event, doing] of Object.entries(events)) {
    process.removeAllListeners(event);
    process.on(event, (error: unknown) => {
      Promise.try(() => record(error, doing))
        .catch((second: unknown) => toStderr(new AggregateError([error, second]), doing))
        .finally(() => process.exit(exit.failed));
    });
  }
}
