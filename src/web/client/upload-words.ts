import type { Item } from "./upload-item.ts";
import type { View } from "./upload-session.ts";

/** Said by screen readers; progress is said by quarters, so that they get to say it. */
export function spoken(view: View): string {
  const { phase, items, lost } = view;
  if (phase === "done") return ready(view);
  if (phase === "choosing") return items.length > 0 ? `${count(items.length)} chosen.` : "";
  if (lost) return "The connection is away. It goes on by itself.";
  const size = sizeOf(items);
  const quarter = Math.floor((sentOf(items) / Math.max(1, size)) * 4) * 25;
  return quarter === 0 ? `Sending ${count(items.length)}.` : `${quarter} percent sent.`;
}

/** The end of it, in one sentence. */
export function ready({ items, elsewhere }: View): string {
  const all = [...items, ...elsewhere].filter(({ state }) => state === "ready");
  const only = all.length === 1 ? all[0] : undefined;
  return only ? `${only.name} is ready to be shared.` : `${count(all.length)} are ready to be shared.`;
}

/** `3 files`. */
export const count = (files: number): string => (files === 1 ? "1 file" : `${files} files`);

/** Bytes of all of them together. */
export const sizeOf = (items: Item[]): number => items.reduce((total, item) => total + item.size, 0);
export const sentOf = (items: Item[]): number => items.reduce((total, item) => total + item.sent, 0);
