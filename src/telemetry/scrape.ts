import { monitorEventLoopDelay } from "node:perf_hooks";
import { createNoopMeter, type Meter } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";

/** Metrics of one wisbot, read by Prometheus. */
export interface Metering {
  meter: Meter;
  /** Prometheus text. */
  scrape(): Promise<string>;
  shutdown(): Promise<void>;
}

/** Instruments that count nothing, for `telemetry.metrics: false`. */
export const noMetering: Metering = {
  meter: createNoopMeter(),
  scrape: async () => "",
  shutdown: async () => {},
};

// One meter, and wisbot_build_info says the rest: both would only repeat themselves on every line.
const WITHOUT_TARGET_INFO = true;
const WITHOUT_SCOPE_INFO = true;

/** Opens the metrics, with the process's own among them. Listens on no port: the web serves the text. */
export async function openMetering(resource: Resource, version: string): Promise<Metering> {
  const [{ MeterProvider }, { PrometheusExporter, PrometheusSerializer }] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/exporter-prometheus"),
  ]);
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(
    undefined,
    false,
    undefined,
    WITHOUT_TARGET_INFO,
    WITHOUT_SCOPE_INFO,
  );
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("wisbot", version);
  const stopWatching = watchProcess(meter, version);
  return {
    meter,
    async scrape() {
      const { resourceMetrics, errors } = await reader.collect();
      // One gauge that can't be read must not cost the rest, nor go unseen.
      const unread = errors.map((error) => `# not collected: ${String(error).replaceAll("\n", " ")}\n`);
      return `${serializer.serialize(resourceMetrics)}${unread.join("")}`;
    },
    async shutdown() {
      stopWatching();
      await provider.shutdown();
    },
  };
}

function watchProcess(meter: Meter, version: string): () => void {
  const startedAt = Date.now() / 1000 - process.uptime();
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const gauge = (name: string, description: string, unit?: string) =>
    meter.createObservableGauge(`wisbot_${name}`, { description, ...(unit && { unit }) });

  gauge("build_info", "Always 1; the version is its label").addCallback((it) => it.observe(1, { version }));
  gauge("process_start_time_seconds", "Start, seconds since the epoch", "s").addCallback((it) =>
    it.observe(startedAt),
  );
  gauge("process_resident_memory_bytes", "Resident memory", "By").addCallback((it) =>
    it.observe(process.memoryUsage.rss()),
  );
  gauge(
    "event_loop_delay_max_seconds",
    "Longest hold-up of the event loop since the last scrape",
    "s",
  ).addCallback((it) => {
    it.observe(delay.count === 0 ? 0 : delay.max / 1e9);
    delay.reset();
  });
  return () => delay.disable();
}
