/** One measured figure against its baseline of the same run. */
export interface Figure {
  what: string;
  ours: string;
  /** What it is compared with, measured in the same run. */
  baseline: string;
  /** The difference or ratio that the limit is about. */
  compared: string;
  limit: string;
  holds: boolean;
}

export interface BenchOptions {
  /** Bytes of the file in the transfers. */
  size: number;
}

export interface Bench {
  name: string;
  run(options: BenchOptions): Promise<Figure[]>;
}

/** The value below which a share of all values lies; 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => percentile(values, 0.5);

export const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
export const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
export const times = (ratio: number) => `${ratio.toFixed(2)} ×`;

/**
 * Runs the two in turn, the other one first in every second round, so that both see the same drift of the machine and
 * neither is always the one that comes after the other. Gives what each round gave.
 */
export async function inTurn<A, B>(
  rounds: number,
  ours: (round: number) => Promise<A>,
  baseline: (round: number) => Promise<B>,
): Promise<{ ours: A[]; baseline: B[] }> {
  const seen: { ours: A[]; baseline: B[] } = { ours: [], baseline: [] };
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 1) seen.baseline.push(await baseline(round));
    seen.ours.push(await ours(round));
    if (round % 2 === 0) seen.baseline.push(await baseline(round));
  }
  return seen;
}
