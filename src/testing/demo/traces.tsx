/** @jsxImportSource hono/jsx */
import type { ReceivedSpan } from "../otlp.ts";

/** How many traces are shown. */
const SHOWN = 12;

interface Trace {
  id: string;
  spans: ReceivedSpan[];
  root: ReceivedSpan;
  startedAt: number;
  endedAt: number;
}

/** Latest first. A trace whose root has not ended yet stands under its first span. */
function tracesOf(spans: ReceivedSpan[]): Trace[] {
  const byId = Map.groupBy(spans, ({ traceId }) => traceId);
  return [...byId]
    .map(([id, spans]) => {
      const sorted = spans.toSorted((a, b) => a.startedAt - b.startedAt);
      const [first] = sorted;
      if (!first) throw new Error("a group has at least one span");
      const ids = new Set(spans.map(({ spanId }) => spanId));
      const root = sorted.find(({ parentSpanId }) => !ids.has(parentSpanId)) ?? first;
      const endedAt = Math.max(...spans.map((span) => span.endedAt));
      return { id, spans: sorted, root, startedAt: first.startedAt, endedAt };
    })
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .slice(0, SHOWN);
}

const milliseconds = (value: number) =>
  value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(1)} ms`;

function SpanRow({ span, trace, depth }: { span: ReceivedSpan; trace: Trace; depth: number }) {
  const whole = Math.max(trace.endedAt - trace.startedAt, 0.001);
  const left = ((span.startedAt - trace.startedAt) / whole) * 100;
  const width = Math.max(((span.endedAt - span.startedAt) / whole) * 100, 0.8);
  const failed = span.status.code === "ERROR";
  const children = trace.spans.filter((one) => one.parentSpanId === span.spanId);
  return (
    <>
      <details id={`s${span.spanId}`} class={failed ? "span failed" : "span"} style={`--depth: ${depth}`}>
        <summary>
          <span class="name">{span.name}</span>
          <span class="took">{milliseconds(span.endedAt - span.startedAt)}</span>
          <span class="track" aria-hidden="true">
            <span style={`left: ${Math.min(left, 99.2)}%; width: ${width}%`} />
          </span>
        </summary>
        {failed && <p class="error">{span.status.message || "failed"}</p>}
        <dl>
          {Object.entries(span.attributes).map(([key, value]) => (
            <>
              <dt>{key}</dt>
              <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
            </>
          ))}
        </dl>
        {span.events.map(({ name, attributes }) => (
          <pre class="event">{String(attributes["exception.stacktrace"] ?? name)}</pre>
        ))}
      </details>
      {children.map((child) => (
        <SpanRow span={child} trace={trace} depth={depth + 1} />
      ))}
    </>
  );
}

/** The latest traces as the collector got them; the newest is open. */
export function Traces({ spans }: { spans: ReceivedSpan[] }) {
  const traces = tracesOf(spans);
  if (traces.length === 0) return <p class="none">Run a command: its trace appears here.</p>;
  return (
    <>
      {traces.map((trace, index) => (
        <details id={`t${trace.id}`} class="trace" open={index === 0}>
          <summary>
            <span class={trace.spans.some(({ status }) => status.code === "ERROR") ? "dot failed" : "dot"} />
            <span class="name">{trace.root.name}</span>
            <span class="took">{milliseconds(trace.endedAt - trace.startedAt)}</span>
          </summary>
          {trace.spans
            .filter(
              (span) =>
                span === trace.root || !trace.spans.some(({ spanId }) => spanId === span.parentSpanId),
            )
            .map((span) => (
              <SpanRow span={span} trace={trace} depth={0} />
            ))}
          <p class="id">
            trace <code>{trace.id}</code>
          </p>
        </details>
      ))}
    </>
  );
}
