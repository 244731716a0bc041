import { INVALID_SPAN_CONTEXT, trace } from "@opentelemetry/api";
import type { Telemetry } from "./ports.ts";

/** For the one question that init or doctor asks, before any telemetry is open. */
export const untraced: Pick<Telemetry, "span"> = {
  span: (_name, _options, run) => run(trace.wrapSpanContext(INVALID_SPAN_CONTEXT)),
};
