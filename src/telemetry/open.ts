import { randomBytes, randomUUID } from "node:crypto";
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { parseKeyPairsIntoRecord } from "@opentelemetry/core";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from "@opentelemetry/semantic-conventions";
import type { Config } from "../config/schema.ts";
import { within } from "../lib/within.ts";
import { attribute } from "./attributes.ts";
import { listenToDiagnostics } from "./diagnostics.ts";
import { errorText, errorType } from "./error-text.ts";
import { exportTarget, openExport } from "./export.ts";
import { createLog, type LogSink } from "./log.ts";
import { createOwnMetrics } from "./metrics.ts";
import type { SpanOptions, Telemetry } from "./ports.ts";
import { createRecorder } from "./recorder.ts";
import { createRedactor, secretsIn } from "./redact.ts";
import { noMetering, openMetering } from "./scrape.ts";

export interface TelemetryOptions {
  config: Pick<Config, "telemetry" | "log">;
  version: string;
  /** service.instance.id; default a random one. */
  instance?: string;
  /** Values that must never be seen in a log or on a span, such as the bot token. */
  secrets?: readonly (string | undefined)[];
  /** For OTEL_*, and for the secrets in it. Default the process's. */
  env?: NodeJS.ProcessEnv;
  /** Where log lines go. Default stderr. */
  logTo?: LogSink;
}

/** Longest that a shutdown waits for the collector, in milliseconds: what is left of the 10 s that `serve` has to end. */
const SHUTDOWN_LIMIT = 1_000;

/**
 * Opens log, traces and metrics. Nothing of it is global: several may be open in one process. Without a collector
 * configured spans only carry their trace id, for error ids and the log.
 */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { config, version, instance = randomUUID(), env = process.env, logTo } = options;
  // The engine keeps ten frames by default: too few to reach our own code from inside a library.
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 100);
  const contexts = new AsyncLocalStorageContextManager();
  const redactor = createRedactor(
    [...(options.secrets ?? []), config.telemetry.metrics_token, ...secretsIn(env)].filter(
      (one) => one !== undefined,
    ),
  );
  const activeSpan = () => trace.getSpan(contexts.active());
  const log = await createLog({
    config: config.log,
    redactor,
    active: () => idsOf(activeSpan()),
    sink: logTo,
  });
  const diagnostics = listenToDiagnostics(log);

  const resource = resourceOf({ version, instance, env });
  const metering = config.telemetry.metrics ? await openMetering(resource, version) : noMetering;
  const metrics = createOwnMetrics(metering.meter);
  const target = exportTarget(config.telemetry.otlp_endpoint, env);
  const toCollector = target && (await openExport({ log, redactor, metrics, target }));
  const protocol =
    env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL ?? "http/protobuf";
  if (target && protocol !== "http/protobuf") {
    log.warn({ protocol }, "WisBot exports traces as http/protobuf only; the protocol asked for is ignored.");
  }
  // OTEL_TRACES_SAMPLER decides what of it is recorded.
  const provider =
    toCollector && new BasicTracerProvider({ resource, spanProcessors: [toCollector.processor] });
  const tracer = provider?.getTracer("wisbot", version);

  async function span<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
    const parent = options.root ? ROOT_CONTEXT : contexts.active();
    const { kind = SpanKind.INTERNAL, attributes = {} } = options;
    const opened = tracer?.startSpan(name, { kind, attributes }, parent) ?? unrecordedSpan(parent);
    try {
      return await contexts.with(trace.setSpan(parent, opened), () => run(opened));
    } catch (error) {
      opened.setStatus({ code: SpanStatusCode.ERROR, message: redactor.text(errorText(error).message) });
      opened.setAttribute(attribute.errorType, errorType(error));
      throw error;
    } finally {
      opened.end();
    }
  }

  const traceId = () => activeSpan()?.spanContext().traceId ?? randomBytes(16).toString("hex");

  async function close(): Promise<void> {
    const outcome = await within(
      SHUTDOWN_LIMIT,
      Promise.allSettled([provider?.shutdown(), metering.shutdown()]),
    );
    for (const { status, ...rest } of outcome ?? []) {
      if (status === "rejected")
        log.warn({ err: "reason" in rest ? rest.reason : undefined }, "Telemetry did not close cleanly.");
    }
    toCollector?.giveUp();
    diagnostics[Symbol.dispose]();
  }
  let closed: Promise<void> | undefined;

  return {
    log,
    meter: metering.meter,
    span,
    traceId,
    record: createRecorder({ log, redactor, metrics, activeSpan, traceId }),
    scrape: metering.scrape,
    exportState: () => toCollector?.state(),
    shutdown: () => (closed ??= close()),
  };
}

/** A span that nobody collects: only its ids are of use, and they are made when an error or a log line wants them. */
function unrecordedSpan(parent: Context): Span {
  let traceId: string | undefined;
  let spanId: string | undefined;
  return trace.wrapSpanContext({
    traceFlags: TraceFlags.NONE,
    get traceId() {
      traceId ??= trace.getSpanContext(parent)?.traceId ?? randomBytes(16).toString("hex");
      return traceId;
    },
    get spanId() {
      spanId ??= randomBytes(8).toString("hex");
      return spanId;
    },
  });
}

function idsOf(span: Span | undefined): object {
  if (!span) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

interface Identity {
  version: string;
  instance: string;
  env: NodeJS.ProcessEnv;
}

function resourceOf({ version, instance, env }: Identity): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_NAME]: "wisbot",
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: instance,
    ...parseKeyPairsIntoRecord(env.OTEL_RESOURCE_ATTRIBUTES),
    ...(env.OTEL_SERVICE_NAME && { [ATTR_SERVICE_NAME]: env.OTEL_SERVICE_NAME }),
  });
}
