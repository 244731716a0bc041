import { configSchema } from "../config/schema.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { openTelemetry } from "../telemetry/open.ts";
import type { Telemetry } from "../telemetry/ports.ts";

export interface TestTelemetry extends AsyncDisposable {
  telemetry: Telemetry;
  metrics: Metrics;
  /** The log so far, parsed. */
  lines(): Record<string, unknown>[];
}

/** Real telemetry without a collector, whose log can be read back. */
export async function openTestTelemetry(): Promise<TestTelemetry> {
  const written: string[] = [];
  const { telemetry: config, log } = configSchema.parse({ log: { level: "debug", format: "json" } });
  const telemetry = await openTelemetry({
    config: { telemetry: config, log },
    version: "0.0.0",
    env: {},
    logTo: { write: (line) => written.push(line) },
  });
  return {
    telemetry,
    metrics: createMetrics(telemetry.meter),
    lines: () => written.map((line) => JSON.parse(line)),
    [Symbol.asyncDispose]: () => telemetry.shutdown(),
  };
}
