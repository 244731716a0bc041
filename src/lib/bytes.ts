import prettyBytes from "pretty-bytes";

const UNITS: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/**
 * Reads a size such as `250MB` (10^6), `1.5 GiB` (2^30) or `4096` (bytes) into whole bytes.
 * Gives undefined for anything else, negative numbers included.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?i?B)?\s*$/i.exec(text);
  if (!match) return undefined;
  const unit = UNITS[(match[2] ?? "B").toUpperCase()];
  if (unit === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `1_500_000` → `1.5 MB`. Decimal units, the ones that disks and config.yaml use. */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes);
}
