import type { Span } from "@opentelemetry/api";
import { causeChain, type ErrorCode, isWisError } from "../errors.ts";
import { attribute } from "./attributes.ts";
import { errorText, errorType } from "./error-text.ts";
import type { OwnMetrics } from "./metrics.ts";
import type { Log } from "./ports.ts";
import type { Redactor } from "./redact.ts";

/** WisBot did its job by refusing, or the other side ended it: worth a line, not an alarm. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "usage",
  "not_found",
  "forbidden",
  "cross_site",
  "bad_request",
  "rate_limited",
  "shutting_down",
  "ticket.unknown",
  "ticket.used",
  "ticket.expired",
  "ticket.busy",
  "file.unknown",
  "file.too_large",
  "file.name_invalid",
  "range.unsatisfiable",
  "precondition.failed",
  "quota.files",
  "quota.bytes",
  "quota.llm",
  "upload.cut",
  "upload.slow",
  "upload.length_mismatch",
  "attachment.refused",
  "attachment.unreadable",
  "llm.off",
  "llm.model_refused",
  "llm.queue_full",
  "llm.stopped",
  "llm.interrupted",
]);

interface RecorderDeps {
  log: Log;
  redactor: Redactor;
  metrics: OwnMetrics;
  activeSpan(): Span | undefined;
  traceId(): string;
}

/** Makes `record` of the Telemetry port. */
export function createRecorder({ log, redactor, metrics, activeSpan, traceId }: RecorderDeps) {
  const recorded = new WeakMap<object, string>();

  return function record(error: unknown, doing: string): string {
    const chain = causeChain(error).filter((one) => typeof one === "object" && one !== null);
    const earlier = chain[0] && recorded.get(chain[0]);
    if (earlier) return earlier;

    const id = traceId();
    // The causes too: a layer below may hold one of them and hand it in later.
    for (const one of chain) recorded.set(one, id);

    const { type, code, message, stack } = errorText(error);
    activeSpan()?.recordException({
      name: type,
      message: redactor.text(message),
      stack: redactor.text(stack),
    });
    metrics.errors.add(1, { code: isWisError(error) ? error.code : "unknown" });
    const refused = isWisError(error) && REFUSALS.has(error.code);
    log[refused ? "info" : "error"](
      {
        trace_id: id,
        [attribute.errorType]: errorType(error),
        err: { type, code, message, stack },
      },
      `${doing}: ${message}`,
    );
    return id;
  };
}
