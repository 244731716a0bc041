import protobuf from "protobufjs";
import { z } from "zod";

// The part of OTLP 1.x that traces use, by its public field numbers. Kept apart from the exporter's own serializer,
// so that the receiver judges what is on the wire.
const SCHEMA = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Span {
  bytes trace_id = 1;
  bytes span_id = 2;
  string trace_state = 3;
  bytes parent_span_id = 4;
  string name = 5;
  Kind kind = 6;
  fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10;
  repeated Event events = 11;
  uint32 dropped_events_count = 12;
  repeated Link links = 13;
  uint32 dropped_links_count = 14;
  Status status = 15;
  fixed32 flags = 16;
}
enum Kind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; PRODUCER = 4; CONSUMER = 5; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
message Status { string message = 2; Code code = 3; }
enum Code { UNSET = 0; OK = 1; ERROR = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1;
    bool bool_value = 2;
    int64 int_value = 3;
    double double_value = 4;
    ArrayValue array_value = 5;
    KeyValueList kvlist_value = 6;
    bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`;

const request = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("Request");

/** An attribute's value; numbers are numbers, lists are lists. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | AttributeValue[]
  | { [key: string]: AttributeValue };

export type Attributes = Record<string, AttributeValue>;

/** A span as it came over the wire. Ids in hex, times in milliseconds since the epoch. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentSpanId: string;
  name: string;
  kind: string;
  startedAt: number;
  endedAt: number;
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  status: { code: string; message: string };
  resource: Attributes;
  scope: string;
}

// Decoded with `bytes: String`: ids arrive in base64.
const hex = z.base64().transform((text) => Buffer.from(text, "base64").toString("hex"));
const nanoseconds = z.string().transform((text) => Number(BigInt(text) / 1_000n) / 1_000);

const anyValue: z.ZodType<AttributeValue> = z.lazy(() =>
  z
    .object({
      string_value: z.string().optional(),
      bool_value: z.boolean().optional(),
      int_value: z.string().transform(Number).optional(),
      double_value: z.number().optional(),
      array_value: z.object({ values: z.array(anyValue).default([]) }).optional(),
      kvlist_value: z.object({ values: keyValues }).optional(),
      bytes_value: z.string().optional(),
    })
    .transform(
      (one) =>
        one.string_value ??
        one.bool_value ??
        one.int_value ??
        one.double_value ??
        one.array_value?.values ??
        one.kvlist_value?.values ??
        one.bytes_value ??
        null,
    ),
);

const keyValues = z
  .array(z.object({ key: z.string(), value: anyValue.default(null) }))
  .default([])
  .transform((pairs): Attributes => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));

const exportRequest = z.object({
  resource_spans: z
    .array(
      z.object({
        resource: z.object({ attributes: keyValues }).optional(),
        scope_spans: z
          .array(
            z.object({
              scope: z.object({ name: z.string().default("") }).optional(),
              spans: z
                .array(
                  z.object({
                    trace_id: hex,
                    span_id: hex,
                    parent_span_id: hex.default(""),
                    name: z.string(),
                    kind: z.string().default("UNSPECIFIED"),
                    start_time_unix_nano: nanoseconds,
                    end_time_unix_nano: nanoseconds,
                    attributes: keyValues,
                    events: z
                      .array(z.object({ name: z.string().default(""), attributes: keyValues }))
                      .default([]),
                    status: z
                      .object({ code: z.string().default("UNSET"), message: z.string().default("") })
                      .default({ code: "UNSET", message: "" }),
                  }),
                )
                .default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

/** Reads one ExportTraceServiceRequest. Throws on anything else. */
export function decodeTraces(body: Uint8Array): ReceivedSpan[] {
  const decoded = request.toObject(request.decode(body), { longs: String, enums: String, bytes: String });
  return exportRequest.parse(decoded).resource_spans.flatMap(({ resource, scope_spans }) =>
    scope_spans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: span.trace_id,
        spanId: span.span_id,
        parentSpanId: span.parent_span_id,
        name: span.name,
        kind: span.kind,
        startedAt: span.start_time_unix_nano,
        endedAt: span.end_time_unix_nano,
        attributes: span.attributes,
        events: span.events,
        status: span.status,
        resource: resource?.attributes ?? {},
        scope: scope?.name ?? "",
      })),
    ),
  );
}
