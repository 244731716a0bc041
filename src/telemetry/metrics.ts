import type { Attributes, Counter, Histogram, Meter, ObservableGauge } from "@opentelemetry/api";
import type { ErrorCode } from "../errors.ts";

// Every label below has few possible values: a command's name, a route's template, an error code. Never an id, a
// name that a person chose, or a path. Names carry their unit, as Prometheus wants them; the exporter adds `_total`.

/** `ok`, or the code of the WisError that ended it. */
export type Outcome = "ok" | ErrorCode;

export type BlobOperation =
  | "create"
  | "resume"
  | "unfinished"
  | "commit"
  | "close"
  | "abort"
  | "open"
  | "delete";

/** A counter for what happens thousands of times a second, with one label. */
interface Tally<Label extends string, Value extends string = string> {
  add(count: number, labels: Record<Label, Value>): void;
}

/** A duration in seconds. */
type Seconds<Labels extends Attributes> = Histogram<Labels>;

/**
 * What wisbot counts. Durations are recorded in seconds, sizes in bytes. The gauges are read at each scrape:
 * `metrics.llm.waiting.addCallback((gauge) => gauge.observe(queue.depth.waiting))`.
 */
export interface Metrics {
  interactions: {
    /** From Discord's event to the last edit. `command` such as `wis upload`, or a button's kind. Its count is the number of interactions. */
    duration: Seconds<{ command: string; outcome: Outcome }>;
    /** From Discord's event to the first response that Discord took. */
    firstResponse: Seconds<{ command: string }>;
  };
  http: {
    /** `route` is the template, such as `/f/:id/download`; `unmatched` when there is none. */
    duration: Seconds<{ route: string; method: string; status: number }>;
  };
  files: {
    uploads: Counter<{ outcome: Outcome }>;
    /** Bytes of finished uploads. */
    uploadedBytes: Counter;
    downloads: Tally<"outcome", Outcome | "cut">;
    /** Bytes handed out, cut and partial transfers included. */
    downloadedBytes: Counter;
    blobDuration: Seconds<{ operation: BlobOperation; outcome: Outcome }>;
    deleted: Counter<{ reason: "expired" | "removed" | "abandoned" | "repaired" }>;
    deletedBytes: Counter<{ reason: "expired" | "removed" | "abandoned" | "repaired" }>;
  };
  outbox: {
    delivered: Counter;
    retried: Counter;
    /** Given up. */
    failed: Counter;
    waiting: ObservableGauge;
  };
  jobs: {
    /** `job` is the job's name, such as `clean-up`. */
    duration: Seconds<{ job: string; outcome: Outcome }>;
  };
  llm: {
    requests: Counter<{ model: string; outcome: Outcome }>;
    waiting: ObservableGauge;
    /** Answers that hold a slot. */
    active: ObservableGauge;
    queueWait: Seconds<{ model: string }>;
    /** From the request to the host to its first token. */
    timeToFirstToken: Seconds<{ model: string; host: string }>;
    /** From the request to the host to its last token. */
    duration: Seconds<{ model: string; host: string; outcome: Outcome }>;
    inputTokens: Counter<{ model: string }>;
    outputTokens: Counter<{ model: string }>;
  };
}

// 5 ms to 10 s: what a person waits for.
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
// 100 ms to 15 min: answers, transfers, jobs. A Discord interaction lives 15 minutes.
const LONG = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];

/** Makes the instruments. Made twice on one meter, counters and histograms share their series; the tallies of one of both are lost. */
export function createMetrics(meter: Meter): Metrics {
  const seconds = (name: string, description: string, boundaries: number[]) =>
    meter.createHistogram(`wisbot_${name}_seconds`, {
      description,
      unit: "s",
      advice: { explicitBucketBoundaries: boundaries },
    });
  const counter = (name: string, description: string, unit?: string) =>
    meter.createCounter(`wisbot_${name}`, { description, ...(unit && { unit }) });
  // To find a series by its labels takes a hundred times as long as to count: these are told at each scrape.
  const tally = <Label extends string>(name: string, description: string, label: Label): Tally<Label> => {
    const counts = new Map<string, number>();
    meter.createObservableCounter(`wisbot_${name}`, { description }).addCallback((result) => {
      for (const [value, count] of counts) result.observe(count, { [label]: value });
    });
    return {
      add(count, labels) {
        const value = labels[label];
        counts.set(value, (counts.get(value) ?? 0) + count);
      },
    };
  };
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(`wisbot_${name}`, { description });

  return {
    interactions: {
      duration: seconds("interaction_duration", "Discord's event to the last edit", LONG),
      firstResponse: seconds("interaction_first_response", "Discord's event to the first response", SHORT),
    },
    http: {
      duration: seconds("http_request_duration", "HTTP requests by route template", [...SHORT, 60, 900]),
    },
    files: {
      uploads: counter("uploads", "Uploads by outcome"),
      uploadedBytes: counter("uploaded_bytes", "Bytes of finished uploads", "By"),
      downloads: tally("downloads", "Downloads by outcome", "outcome"),
      downloadedBytes: counter("downloaded_bytes", "Bytes handed out", "By"),
      blobDuration: seconds("blob_operation_duration", "Operations on the blob store", SHORT),
      deleted: counter("deleted_files", "Files deleted, by reason"),
      deletedBytes: counter("deleted_bytes", "Bytes freed, by reason", "By"),
    },
    outbox: {
      delivered: counter("announcements_delivered", "Announcements that Discord took"),
      retried: counter("announcements_retried", "Deliveries put off to a later attempt"),
      failed: counter("announcements_failed", "Announcements given up"),
      waiting: gauge("announcements_waiting", "Announcements not delivered yet"),
    },
    jobs: { duration: seconds("job_duration", "Runs of repeating jobs", [...SHORT, 60, 900]) },
    llm: {
      requests: counter("llm_requests", "Questions by outcome"),
      waiting: gauge("llm_queue_waiting", "Questions waiting for a slot"),
      active: gauge("llm_queue_active", "Answers that hold a slot"),
      queueWait: seconds("llm_queue_wait", "Waiting for a slot", LONG),
      timeToFirstToken: seconds("llm_time_to_first_token", "Request to first token", LONG),
      duration: seconds("llm_duration", "Request to last token", LONG),
      inputTokens: counter("llm_input_tokens", "Tokens read, as the host counts them"),
      outputTokens: counter("llm_output_tokens", "Tokens written, as the host counts them"),
    },
  };
}

/** What telemetry says about itself. */
export interface OwnMetrics {
  /** Recorded errors; `unknown` for what is not a WisError. */
  errors: Counter<{ code: ErrorCode | "unknown" }>;
  /** Spans that never reached the collector. */
  droppedSpans: Counter;
}

/** The instruments of telemetry itself: the rest of wisbot has no need of them. */
export function createOwnMetrics(meter: Meter): OwnMetrics {
  return {
    errors: meter.createCounter("wisbot_errors", { description: "Recorded errors by code" }),
    droppedSpans: meter.createCounter("wisbot_telemetry_dropped_spans", {
      description: "Spans that never reached the collector",
    }),
  };
}
