import type { Attributes, Meter, Span, SpanKind } from "@opentelemetry/api";

/** Structured logging. Fields first; never a secret, a whole capability or a person's text. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  /** Starts a trace of its own, whatever is active. */
  root?: boolean;
}

/** What every part is given to be seen by. Opened by app.ts, faked by nobody: tests read the real thing. */
export interface Telemetry {
  readonly log: Log;
  /** Instruments are made once, in telemetry/metrics.ts. */
  readonly meter: Meter;
  /** Runs `run` inside a span. A throw marks the span as failed and passes on. `name` is a template, never a value. */
  span<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T>;
  /**
   * Records an error once, however often it is handed in: on the active span and in the log, with its whole cause
   * chain. Gives the error id to show: the trace id, 32 hex digits.
   */
  record(error: unknown, doing: string): string;
  /** The active trace's id; a fresh one when there is none. */
  traceId(): string;
  /** Prometheus text of all metrics. */
  scrape(): Promise<string>;
  /** How the export goes: undefined when none is configured. */
  exportState(): { endpoint: string; failing: boolean; dropped: number } | undefined;
  /** Flushes and stops; never longer than 2 s, never rejects. */
  shutdown(): Promise<void>;
}
