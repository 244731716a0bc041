const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** `90_061_000` ms → `in 1 day 1 hour`: the two largest units; what is over says so. */
export function countdown(left: number): string {
  if (left < 1_000) return "gone";
  const first = UNITS.findIndex(([, size]) => left >= size);
  let rest = left;
  const parts = UNITS.slice(first, first + 2).flatMap(([unit, size]) => {
    const number = Math.floor(rest / size);
    rest -= number * size;
    return number > 0 ? `${number} ${unit}${number === 1 ? "" : "s"}` : [];
  });
  return `in ${parts.join(" ")}`;
}
