import { toWisError } from "../errors.ts";
import type { Outcome } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { errorText } from "./render.ts";

/** What goes wrong while one person is answered: recorded once, and told once. */
export interface Explainer {
  /** Records an error, and gives what the person is told of it. */
  explain(error: unknown): string;
  /** Whether that very error was explained last: it is shown already. */
  hasExplained(error: unknown): boolean;
  /** What came of it: the code of the error that was explained last. */
  readonly outcome: Outcome;
}

/** `doing` for the record, such as "answering wis llm". */
export function createExplainer(telemetry: Pick<Telemetry, "record">, doing: string): Explainer {
  let explained: { error: unknown; outcome: Outcome } | undefined;
  return {
    explain(error) {
      const told = toWisError(error);
      explained = { error, outcome: told.code };
      return errorText(told, telemetry.record(error, doing));
    },
    hasExplained: (error) => explained !== undefined && explained.error === error,
    get outcome() {
      return explained?.outcome ?? "ok";
    },
  };
}
