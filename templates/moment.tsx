/** @jsxImportSource hono/jsx */
const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** `in 3 days`, `2 hours ago`: in the largest unit that fits twice, so that little is lost by rounding. */
function relative(at: number, now: number): string {
  const distance = at - now;
  const [unit, length] =
    UNITS.find(([, size]) => Math.abs(distance) >= 2 * size) ?? (["second", 1_000] as const);
  return RELATIVE.format(Math.round(distance / length), unit);
}

/**
 * A point in time, milliseconds since the epoch: absolute in UTC (the page's script makes it local) and relative, where
 * `countdown` lets the script go on counting.
 */
export function Moment({ at, now, countdown = false }: { at: number; now: number; countdown?: boolean }) {
  const date = new Date(at);
  return (
    <>
      <time datetime={date.toISOString()} data-local>
        {DATE.format(date)} UTC
      </time>{" "}
      <span class="quiet">
        (<span {...(countdown && { "data-countdown": String(at) })}>{relative(at, now)}</span>)
      </span>
    </>
  );
}
