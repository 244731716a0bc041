import { expect, test } from "bun:test";
import { configSchema } from "../config/schema.ts";
import { createMetrics } from "./metrics.ts";
import { openTelemetry } from "./open.ts";

async function open(metrics = true) {
  return openTelemetry({
    config: configSchema.parse({ telemetry: { metrics } }),
    version: "9.9.9",
    env: {},
    logTo: { write: () => undefined },
  });
}

/** A series' value in a scrape. */
function sample(text: string, series: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test("counts, durations and gauges come out as Prometheus text, every name prefixed and with its unit", async () => {
  const { meter, scrape, shutdown } = await open();
  const metrics = createMetrics(meter);
  metrics.interactions.duration.record(0.3, { command: "wis upload", outcome: "ok" });
  metrics.http.duration.record(0.004, { route: "/f/:id", method: "GET", status: 200 });
  metrics.files.uploads.add(1, { outcome: "ok" });
  metrics.files.uploadedBytes.add(1_000_000);
  metrics.files.downloads.add(1, { outcome: "ok" });
  metrics.files.downloads.add(2, { outcome: "ok" });
  metrics.files.downloads.add(1, { outcome: "cut" });
  metrics.llm.requests.add(2, { model: "llama3.2", outcome: "llm.queue_full" });
  metrics.llm.waiting.addCallback((gauge) => gauge.observe(3));
  metrics.outbox.waiting.addCallback(async (gauge) => gauge.observe(await Promise.resolve(4)));

  const text = await scrape();
  const upload = `{command="wis upload",outcome="ok"}`;
  expect(sample(text, `wisbot_interaction_duration_seconds_count${upload}`)).toBe(1);
  expect(sample(text, `wisbot_interaction_duration_seconds_sum${upload}`)).toBe(0.3);
  const http = `route="/f/:id",method="GET",status="200"`;
  expect(sample(text, `wisbot_http_request_duration_seconds_bucket{${http},le="0.005"}`)).toBe(1);
  expect(sample(text, `wisbot_uploads_total{outcome="ok"}`)).toBe(1);
  expect(sample(text, "wisbot_uploaded_bytes_total")).toBe(1_000_000);
  expect(sample(text, `wisbot_downloads_total{outcome="ok"}`)).toBe(3);
  expect(sample(text, `wisbot_downloads_total{outcome="cut"}`)).toBe(1);
  expect(sample(text, `wisbot_llm_requests_total{model="llama3.2",outcome="llm.queue_full"}`)).toBe(2);
  expect(sample(text, "wisbot_llm_queue_waiting")).toBe(3);
  expect(sample(text, "wisbot_announcements_waiting")).toBe(4);
  expect(sample(text, `wisbot_build_info{version="9.9.9"}`)).toBe(1);
  expect(sample(text, "wisbot_process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  const names = text.split("\n").filter((line) => line && !line.startsWith("#"));
  expect(names.filter((line) => !line.startsWith("wisbot_"))).toEqual([]);
  await shutdown();
});

test("instruments made twice count into the same series", async () => {
  const { meter, scrape, shutdown } = await open();
  createMetrics(meter).files.uploadedBytes.add(1);
  createMetrics(meter).files.uploadedBytes.add(2);
  expect(sample(await scrape(), "wisbot_uploaded_bytes_total")).toBe(3);
  await shutdown();
});

test("a gauge that can't be read costs only itself, and says so", async () => {
  const { meter, scrape, shutdown } = await open();
  const metrics = createMetrics(meter);
  metrics.llm.waiting.addCallback(() => {
    throw new Error("queue is closed");
  });
  metrics.llm.active.addCallback((gauge) => gauge.observe(1));
  const text = await scrape();
  expect(sample(text, "wisbot_llm_queue_active")).toBe(1);
  expect(text).toContain("# not collected: Error: queue is closed");
  await shutdown();
});

test("a blocked event loop is seen at the next scrape, and only there", async () => {
  const { scrape, shutdown } = await open();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
  await turn();
  const until = performance.now() + 200;
  while (performance.now() < until);
  await turn();
  expect(sample(await scrape(), "wisbot_event_loop_delay_max_seconds")).toBeGreaterThan(0.15);
  expect(sample(await scrape(), "wisbot_event_loop_delay_max_seconds")).toBeLessThan(0.15);
  await shutdown();
});

test("switched off, metrics cost nothing and give nothing", async () => {
  const { meter, scrape, shutdown } = await open(false);
  createMetrics(meter).files.uploadedBytes.add(1);
  expect(await scrape()).toBe("");
  await shutdown();
});
