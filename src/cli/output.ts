import { styleText } from "node:util";

// Answers go to stdout and nothing else does. console.log and console.error write before they return, whole: through
// process.stdout.write, process.exit cut a 10 MB answer to what the pipe held (Bun 1.4.5).

type Style = Parameters<typeof styleText>[0];

/** Writes an answer, with a line end, to stdout. */
export function print(text: string): void {
  console.log(text);
}

/** Writes an answer for scripts to stdout. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Tells the person something that is no answer: on stderr. */
export function note(text: string): void {
  console.error(text);
}

/** Colours text where `stream` is a terminal that shows them; NO_COLOR and FORCE_COLOR are honoured. */
export function paint(style: Style, text: string, stream: "stdout" | "stderr" = "stdout"): string {
  return styleText(style, text, { stream: process[stream] });
}

/** Rows as columns, two spaces between them. Wide characters and colours count as wide as they look. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, Bun.stringWidth(cell));
    }
  }
  const padded = (cell: string, index: number) =>
    cell + " ".repeat((widths[index] ?? 0) - Bun.stringWidth(cell));
  return rows.map((row) => row.map(padded).join("  ").trimEnd()).join("\n");
}

/** Shows how far something is. */
export interface Progress {
  /** `done` and `total` in one unit; without a total only `done` is shown. */
  update(done: number, total: number | undefined): void;
  /** Takes the line away. */
  [Symbol.dispose](): void;
}

const REDRAW_MS = 100;
const CLEAR_LINE = "\r\x1b[K";
const BAR_CELLS = 24;

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS);
  return "█".repeat(full) + "░".repeat(BAR_CELLS - full);
}

/**
 * A progress line on stderr, redrawn at most ten times a second. Shows nothing where stderr is no terminal.
 * `format` writes an amount for people, such as formatBytes.
 */
export function openProgress(label: string, format: (amount: number) => string): Progress {
  if (process.stderr.isTTY !== true) return { update() {}, [Symbol.dispose]() {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      const now = performance.now();
      if (now - drawnAt < REDRAW_MS) return;
      drawnAt = now;
      const amount =
        total === undefined
          ? format(done)
          : `${bar(done / Math.max(1, total))} ${format(done)} of ${format(total)}`;
      process.stderr.write(`${CLEAR_LINE}${label} ${amount}`);
    },
    [Symbol.dispose]() {
      process.stderr.write(CLEAR_LINE);
    },
  };
}
