import { expect, test } from "bun:test";
import { startOtlp } from "./otlp.ts";

// ExportTraceServiceRequest by hand: one span named "hi" with ids and one attribute, field by field.
const field = (number: number, bytes: number[]) => [(number << 3) | 2, bytes.length, ...bytes];
const text = (value: string) => [...new TextEncoder().encode(value)];
const fixed64 = (number: number, value: bigint) => [
  (number << 3) | 1,
  ...new Uint8Array(new BigUint64Array([value]).buffer),
];
const span = [
  ...field(
    1,
    Array.from({ length: 16 }, () => 0xab),
  ),
  ...field(
    2,
    Array.from({ length: 8 }, () => 0xcd),
  ),
  ...field(5, text("hi")),
  (6 << 3) | 0,
  2,
  ...fixed64(7, 1_700_000_000_000_000_000n),
  ...fixed64(8, 1_700_000_000_001_500_000n),
  ...field(9, [...field(1, text("count")), ...field(2, [(3 << 3) | 0, 42])]),
  ...field(15, [...field(2, text("broken")), (3 << 3) | 0, 2]),
];
const request = new Uint8Array(field(1, field(2, field(2, span))));

const post = (url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/traces`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-protobuf", ...headers },
  });

test("a request written byte by byte is read as OTLP says", async () => {
  await using otlp = await startOtlp();
  const waiting = otlp.waitFor(({ name }) => name === "hi");
  expect((await post(otlp.url, request)).status).toBe(200);
  expect(await waiting).toEqual({
    traceId: "ab".repeat(16),
    spanId: "cd".repeat(8),
    parentSpanId: "",
    name: "hi",
    kind: "SERVER",
    startedAt: 1_700_000_000_000,
    endedAt: 1_700_000_000_001.5,
    attributes: { count: 42 },
    events: [],
    status: { code: "ERROR", message: "broken" },
    resource: {},
    scope: "",
  });
  expect(otlp.trace("ab".repeat(16))).toBe("hi 1.5ms count=42 ERROR broken");
});

test("gzip is understood, anything but OTLP is refused", async () => {
  await using otlp = await startOtlp();
  expect((await post(otlp.url, Bun.gzipSync(request), { "content-encoding": "gzip" })).status).toBe(200);
  expect(otlp.spans()).toHaveLength(1);
  expect((await post(otlp.url, new Uint8Array([1, 2, 3]))).status).toBe(400);
  expect((await post(otlp.url, request, { "content-type": "application/json" })).status).toBe(415);
  expect((await fetch(otlp.url)).status).toBe(404);
});

test("it fails, stops and comes back on the same port as it is told", async () => {
  await using otlp = await startOtlp();
  otlp.behave(503);
  expect((await post(otlp.url, request)).status).toBe(503);
  await otlp.stop();
  expect(await post(otlp.url, request).catch((error: Error) => error.message)).toContain("ECONNREFUSED");
  otlp.behave("ok");
  otlp.restart();
  expect((await post(otlp.url, request)).status).toBe(200);
  await otlp.asked(2);
});

test("waiting for a span that never comes ends with what came instead", async () => {
  await using otlp = await startOtlp();
  await post(otlp.url, request);
  expect(otlp.waitFor(({ name }) => name === "other", 20)).rejects.toThrow(/no such span .*got: hi/);
});
