import { afterEach, expect, test } from "bun:test";
import { SpanKind } from "@opentelemetry/api";
import { configSchema } from "../config/schema.ts";
import { isWisError, WisError } from "../errors.ts";
import { startOtlp } from "../testing/otlp.ts";
import { openTelemetry, type TelemetryOptions } from "./open.ts";

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

interface Line {
  level: string;
  msg: string;
  trace_id?: string;
  span_id?: string;
  err?: { type: string; code?: string; message: string; stack: string };
  [field: string]: unknown;
}

/** A telemetry that logs JSON into `lines` and exports quickly, to `endpoint` if there is one. */
async function open(endpoint?: string, options: Partial<TelemetryOptions> = {}) {
  const lines: Line[] = [];
  const config = configSchema.parse({ telemetry: { otlp_endpoint: endpoint }, log: { format: "json" } });
  const telemetry = await openTelemetry({
    config,
    version: "9.9.9",
    env: { OTEL_BSP_SCHEDULE_DELAY: "5", OTEL_EXPORTER_OTLP_TIMEOUT: "200" },
    logTo: { write: (line) => lines.push(JSON.parse(line)) },
    ...options,
  });
  opened.defer(() => telemetry.shutdown());
  return { ...telemetry, lines };
}

async function collector() {
  return opened.use(await startOtlp());
}

test("spans reach the collector with their attributes, their parent and who sent them", async () => {
  const otlp = await collector();
  const { span } = await open(otlp.url, { instance: "one" });
  await span("GET /f/:id", { kind: SpanKind.SERVER, attributes: { "http.route": "/f/:id" } }, async () => {
    await Bun.sleep(0);
    await span("blob open", {}, async (inner) => {
      inner.setAttributes({ size: 3, ratio: 0.5, hit: true, kinds: ["a", "b"] });
    });
  });

  const parent = await otlp.waitFor(({ name }) => name === "GET /f/:id");
  const child = await otlp.waitFor(({ name }) => name === "blob open");
  expect(parent).toMatchObject({
    kind: "SERVER",
    parentSpanId: "",
    attributes: { "http.route": "/f/:id" },
    resource: { "service.name": "wisbot", "service.version": "9.9.9", "service.instance.id": "one" },
    scope: "wisbot",
  });
  expect(child).toMatchObject({
    traceId: parent.traceId,
    parentSpanId: parent.spanId,
    kind: "INTERNAL",
    attributes: { size: 3, ratio: 0.5, hit: true, kinds: ["a", "b"] },
  });
  expect(child.startedAt).toBeGreaterThanOrEqual(parent.startedAt);
  expect(otlp.trace(parent.traceId)).toMatch(/^GET \/f\/:id .*\n {2}blob open .*$/);
});

test("a thousand requests at once keep to their own traces, log lines included", async () => {
  const otlp = await collector();
  const { span, log, traceId, lines } = await open(otlp.url);
  const request = (number: number) =>
    span("request", { attributes: { number } }, async () => {
      await Bun.sleep(number % 7);
      await span("work", { attributes: { number } }, async () => {
        await Promise.resolve();
        log.info({ number }, "working");
      });
      return traceId();
    });
  const traces = await Promise.all(Array.from({ length: 1000 }, (_, number) => request(number)));

  expect(new Set(traces).size).toBe(1000);
  expect(lines.map(({ trace_id }) => trace_id)).toEqual(lines.map((line) => traces[Number(line.number)]));
  await otlp.waitFor(() => otlp.spans().length === 2000);
  for (const { traceId: id, attributes } of otlp.spans())
    expect(id).toBe(traces[Number(attributes.number)] ?? "");
});

test("a root span starts a trace of its own inside another", async () => {
  const { span, traceId } = await open();
  const [outer, inner] = await span("outer", {}, async () => [
    traceId(),
    await span("inner", { root: true }, async () => traceId()),
  ]);
  expect(inner).not.toBe(outer);
});

test("a throw marks its span and passes on as it is, unlogged", async () => {
  const otlp = await collector();
  const { span, lines } = await open(otlp.url);
  const thrown = new WisError("disk.full", { say: "The disk is full." });
  const caught = await span("upload", {}, async () => {
    throw thrown;
  }).catch((error: unknown) => error);

  expect(caught).toBe(thrown);
  expect(lines).toEqual([]);
  const { status, attributes } = await otlp.waitFor(({ name }) => name === "upload");
  expect(status).toEqual({ code: "ERROR", message: "The disk is full." });
  expect(attributes).toEqual({ "error.type": "disk.full" });
});

test("an error is recorded once, with every cause and its source line, under the trace it happened in", async () => {
  const otlp = await collector();
  const { span, record, traceId, lines, scrape } = await open(otlp.url);
  const disk = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const write = new Error("write failed", { cause: disk });
  const full = new WisError("disk.full", { say: "The disk is full.", cause: write });

  const ids = await span("upload", {}, async () => {
    const ids = [traceId(), record(full, "upload a file"), record(full, "again")];
    // A layer below may still hold a cause of what was recorded.
    return [...ids, record(write, "the cause"), record(disk, "the cause of the cause")];
  });
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);

  expect(lines).toHaveLength(1);
  const [line] = lines;
  expect(line).toMatchObject({ level: "error", msg: "upload a file: The disk is full.", trace_id: ids[0] });
  expect(line?.err).toMatchObject({ type: "WisError", code: "disk.full", message: "The disk is full." });
  const stack = line?.err?.stack ?? "";
  expect(stack.match(/Caused by: /g)).toHaveLength(2);
  expect(stack).toMatch(/The disk is full[\s\S]*write failed[\s\S]*no space left[\s\S]*code=ENOSPC/);
  expect(stack.match(/open\.test\.ts:\d+/g)?.length).toBeGreaterThanOrEqual(3);

  const { events } = await otlp.waitFor(({ name }) => name === "upload");
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    name: "exception",
    attributes: { "exception.type": "WisError", "exception.message": "The disk is full." },
  });
  expect(events[0]?.attributes["exception.stacktrace"]).toBe(stack);
  expect(await scrape()).toContain('wisbot_errors_total{code="disk.full"} 1');
});

test("a refusal is a line, a failure an alarm, and a thrown string is told too", async () => {
  const { record, lines } = await open();
  record(new WisError("quota.files", { say: "You have 20 files already." }), "wis upload");
  record(new TypeError("undefined is not a function"), "wis help");
  const id = record("just text", "job clean-up");
  expect(lines.map(({ level }) => level)).toEqual(["info", "error", "error"]);
  expect(lines[2]).toMatchObject({ msg: 'job clean-up: "just text"', trace_id: id });
});

test("all errors of an AggregateError are told, and a cause that bites its own tail ends", async () => {
  const { record, lines } = await open();
  const loop = new Error("loop");
  loop.cause = loop;
  record(new AggregateError([new Error("first"), new Error("second", { cause: loop })], "both"), "close");
  expect(lines[0]?.err?.stack).toMatch(
    /both[\s\S]*Error 1 of 2: .*first[\s\S]*second[\s\S]*loop[\s\S]*\[circular\]/,
  );
});

test("a collector that is down is told once, its return once, and what it cost is counted", async () => {
  const otlp = await collector();
  const { span, exportState, lines, scrape } = await open(otlp.url);
  await span("before", {}, async () => {});
  await otlp.waitFor(({ name }) => name === "before");
  expect(exportState()).toEqual({ endpoint: `${otlp.url}/v1/traces`, failing: false, dropped: 0 });

  otlp.behave(503);
  for (let lost = 1; lost <= 3; lost++) {
    await span("lost", {}, async () => {});
    await until(() => exportState()?.dropped === lost);
  }
  expect(exportState()).toMatchObject({ failing: true, dropped: 3 });
  expect(lines.map(({ level }) => level)).toEqual(["warn"]);
  expect(lines[0]?.msg).toContain("Traces are being lost");

  otlp.behave("ok");
  await span("after", {}, async () => {});
  await until(() => exportState()?.failing === false);
  expect(lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  expect(lines[1]).toMatchObject({ lost: 3 });
  expect(await scrape()).toContain("wisbot_telemetry_dropped_spans_total 3");
  expect(otlp.spans().map(({ name }) => name)).toEqual(["before", "after"]);
});

test("a stopped collector costs no request anything and is found again on its port", async () => {
  const otlp = await collector();
  await otlp.stop();
  const { span, exportState, lines } = await open(otlp.url);
  await span("lost", {}, async () => {});
  await until(() => exportState()?.failing === true);
  expect(lines[0]?.err?.stack).toContain("ECONNREFUSED");

  otlp.restart();
  await span("found", {}, async () => {});
  await otlp.waitFor(({ name }) => name === "found");
});

test("a burst beyond what may wait is cut and counted, not kept in memory", async () => {
  const otlp = await collector();
  const { span, exportState, lines } = await open(otlp.url);
  // None of these awaits gives the event loop a turn: nothing is exported in between.
  for (let index = 0; index < 5000; index++) await span("many", {}, async () => {});
  expect(exportState()).toMatchObject({ failing: true, dropped: 5000 - 2048 });
  await otlp.waitFor(() => otlp.spans().length === 2048);
  await until(() => exportState()?.failing === false);
  expect(lines.map(({ level }) => level)).toEqual(["warn", "info"]);
});

test("shutdown takes at most two seconds, whatever the collector does", async () => {
  const behaviours = { hangs: "hang", refuses: "stop", fails: 503 } as const;
  await Promise.all(
    Object.values(behaviours).map(async (behaviour) => {
      const otlp = await collector();
      if (behaviour === "stop") await otlp.stop();
      else otlp.behave(behaviour);
      const { span, shutdown, exportState } = await open(otlp.url, {
        env: { OTEL_BSP_SCHEDULE_DELAY: "60000" },
      });
      await span("last", {}, async () => {});
      const start = performance.now();
      await Promise.all([shutdown(), shutdown()]);
      expect(performance.now() - start).toBeLessThan(2000);
      expect(exportState()).toMatchObject({ failing: true, dropped: 1 });
    }),
  );
});

test("shutdown delivers what is still waiting", async () => {
  const otlp = await collector();
  const { span, shutdown } = await open(otlp.url, { env: { OTEL_BSP_SCHEDULE_DELAY: "60000" } });
  await span("last", {}, async () => {});
  await shutdown();
  expect(otlp.spans().map(({ name }) => name)).toEqual(["last"]);
});

test("without a collector nothing is sent, and errors still get their id", async () => {
  const { span, traceId, record, exportState } = await open();
  expect(exportState()).toBeUndefined();
  const [active, id] = await span("work", {}, async () => [traceId(), record(new Error("broken"), "work")]);
  expect(active).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  expect(id).toBe(active ?? "");
  expect(traceId()).not.toBe(traceId());
});

test("two in one process do not mix", async () => {
  const [here, there] = [await collector(), await collector()];
  const [one, two] = [await open(here.url), await open(there.url)];
  await one.span("outer", {}, async () => {
    await two.span("other", {}, async () => one.span("inner", {}, async () => two.log.info({}, "hello")));
  });
  const outer = await here.waitFor(({ name }) => name === "outer");
  const other = await there.waitFor(({ name }) => name === "other");
  const inner = await here.waitFor(({ name }) => name === "inner");
  expect(inner.parentSpanId).toBe(outer.spanId);
  expect(other.parentSpanId).toBe("");
  expect(two.lines[0]?.span_id).toBe(other.spanId);
  expect(one.lines).toEqual([]);
});

test("the standard variables say where traces go, as whom, and with which headers", async () => {
  const otlp = await collector();
  const { span, exportState } = await open(undefined, {
    env: {
      OTEL_BSP_SCHEDULE_DELAY: "5",
      OTEL_EXPORTER_OTLP_ENDPOINT: `${otlp.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=club,authorization=Bearer%20s3cr3t-value",
      OTEL_SERVICE_NAME: "club-bot",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=living%20room,service.name=overruled",
    },
  });
  expect(exportState()?.endpoint).toBe(`${otlp.url}/v1/traces`);
  await span("work", {}, async () => {});
  const { resource } = await otlp.waitFor(({ name }) => name === "work");
  expect(resource).toMatchObject({
    "service.name": "club-bot",
    "deployment.environment.name": "living room",
  });
  expect(otlp.requests()[0]?.get("x-tenant")).toBe("club");
  expect(otlp.requests()[0]?.get("authorization")).toBe("Bearer s3cr3t-value");
});

test("the address for traces alone is taken as it stands, the config goes before both, and switched off is off", async () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:1",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://localhost:2/custom",
  };
  expect((await open(undefined, { env })).exportState()?.endpoint).toBe("http://localhost:2/custom");
  expect((await open("http://localhost:3", { env })).exportState()?.endpoint).toBe(
    "http://localhost:3/v1/traces",
  );
  const off = await open("http://localhost:3", { env: { ...env, OTEL_SDK_DISABLED: "true" } });
  expect(off.exportState()).toBeUndefined();
});

test("a protocol that is not spoken is said", async () => {
  const { lines } = await open("http://localhost:3", { env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" } });
  expect(lines).toMatchObject([{ level: "warn", protocol: "grpc" }]);
});

test("a token that slipped into a span does not leave the house", async () => {
  const otlp = await collector();
  const secret = "a-very-private-token";
  const { span, record } = await open(otlp.url, { secrets: [secret] });
  const caught = await span("work", { attributes: { url: `http://x/?q=${secret}` } }, async () => {
    const error = new Error(`refused ${secret}`);
    record(error, "work");
    throw error;
  }).catch((error: unknown) => error);
  expect(isWisError(caught)).toBe(false);
  const sent = JSON.stringify(await otlp.waitFor(({ name }) => name === "work"));
  expect(sent).not.toContain(secret);
  expect(sent).toContain("refused [redacted]");
});

test("OpenTelemetry's own complaints reach the log", async () => {
  const { span, lines } = await open();
  const otlp = await collector();
  const exporting = await open(otlp.url);
  await exporting.span("work", {}, async (inner) => {
    inner.end();
    inner.setAttribute("late", true);
  });
  await span("quiet", {}, async () => {});
  expect(exporting.lines.map(({ msg }) => msg)).toContainEqual(expect.stringContaining("OpenTelemetry: "));
  // It has one channel a process: everybody hears it.
  expect(lines.length).toBe(exporting.lines.length);
});

/** Resolves once `condition` holds; asks again at every turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
