import { ExportResultCode, parseKeyPairsIntoRecord } from "@opentelemetry/core";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { OwnMetrics } from "./metrics.ts";
import type { Log } from "./ports.ts";
import type { Redactor } from "./redact.ts";

export interface ExportTarget {
  /** Where the spans go: the full address. */
  url: string;
  headers: Record<string, string>;
  /** Milliseconds that one batch may take, its retries included. */
  timeout: number;
  /** Milliseconds that an ended span waits for others. */
  delay: number;
}

/** Ended spans that wait for the collector at most; one is about 1 kB. */
const MAX_WAITING = 2048;
const BATCH = 512;

/**
 * Where spans are to go: `otlp_endpoint` of the config, else the standard OTEL_* variables. Undefined: nowhere.
 */
export function exportTarget(endpoint: string | undefined, env: NodeJS.ProcessEnv): ExportTarget | undefined {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none")
    return undefined;
  const base = endpoint ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url = (endpoint ? undefined : env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) || (base && tracesUnder(base));
  if (!url) return undefined;
  return {
    url,
    headers: {
      ...parseKeyPairsIntoRecord(env.OTEL_EXPORTER_OTLP_HEADERS),
      ...parseKeyPairsIntoRecord(env.OTEL_EXPORTER_OTLP_TRACES_HEADERS),
    },
    timeout: milliseconds(env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? env.OTEL_EXPORTER_OTLP_TIMEOUT, 10_000),
    delay: milliseconds(env.OTEL_BSP_SCHEDULE_DELAY, 2_000),
  };
}

function tracesUnder(base: string): string {
  return `${base.replace(/\/+$/, "")}/v1/traces`;
}

function milliseconds(text: string | undefined, fallback: number): number {
  const value = Number(text);
  return text && Number.isFinite(value) && value > 0 ? value : fallback;
}

/** The way to the collector. */
export interface SpanExport {
  processor: SpanProcessor;
  /** `dropped`: spans that never arrived since the start. */
  state(): { endpoint: string; failing: boolean; dropped: number };
  /** Gives up on what has not been delivered yet, and counts it as dropped. */
  giveUp(): void;
}

interface ExportDeps {
  log: Log;
  redactor: Redactor;
  metrics: OwnMetrics;
  target: ExportTarget;
}

/**
 * Opens the way to the collector. A collector that is away is reported once, and once when it is back; in between
 * spans are dropped and counted, and nobody waits.
 */
export async function openExport({ log, redactor, metrics, target }: ExportDeps): Promise<SpanExport> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  const { url, headers, timeout, delay } = target;
  const otlp = new OTLPTraceExporter({ url, headers, timeoutMillis: timeout });
  const endpoint = redactor.text(url);
  let waiting = 0;
  let dropped = 0;
  let lost = 0;
  let failing = false;
  let givenUp = false;

  function drop(count: number, why: string, err?: unknown): void {
    dropped += count;
    lost += count;
    metrics.droppedSpans.add(count);
    if (failing) return;
    failing = true;
    log.warn(
      { endpoint, err },
      `Traces are being lost: ${why}. WisBot goes on without them and tells when it is over.`,
    );
  }

  function arrived(): void {
    if (!failing) return;
    failing = false;
    log.info({ endpoint, lost }, `Traces reach the collector again; ${lost} spans were lost.`);
    lost = 0;
  }

  // Its failures end here, told and counted: passed on, the batch processor would report each of them again.
  const exporter: SpanExporter = {
    export(spans, done) {
      for (const span of spans) clean(span, redactor);
      otlp.export(spans, ({ code, error }) => {
        done({ code: ExportResultCode.SUCCESS });
        if (givenUp) return;
        waiting -= spans.length;
        if (code === ExportResultCode.SUCCESS) arrived();
        else drop(spans.length, "the collector does not take them", error);
      });
    },
    forceFlush: () => otlp.forceFlush(),
    shutdown: () => otlp.shutdown(),
  };
  // Longer than the exporter's own limit: the exporter reports what became of a batch, the processor could not.
  const batches = new BatchSpanProcessor(exporter, {
    maxQueueSize: MAX_WAITING,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: delay,
    exportTimeoutMillis: timeout + 5_000,
  });
  return {
    processor: {
      onStart: (span, context) => batches.onStart(span, context),
      onEnd(span) {
        // The batch processor drops without telling whom it cost: count before it has to.
        if (waiting >= MAX_WAITING) return drop(1, `${MAX_WAITING} of them wait for the collector already`);
        waiting += 1;
        batches.onEnd(span);
      },
      forceFlush: () => batches.forceFlush(),
      shutdown: () => batches.shutdown(),
    },
    state: () => ({ endpoint, failing, dropped }),
    giveUp() {
      if (waiting > 0) drop(waiting, "WisBot ended before the collector took them");
      givenUp = true;
    },
  };
}

/** The rule is that no secret is put on a span; this is for the one that slipped in. */
function clean(span: ReadableSpan, redactor: Redactor): void {
  for (const [name, value] of Object.entries(span.attributes)) {
    if (typeof value === "string") span.attributes[name] = redactor.text(value);
  }
}
