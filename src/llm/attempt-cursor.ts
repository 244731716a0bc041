import type { AttemptCursor } from "./ports.ts";

/** Whether one attempt comes after another in the history, which has the newest first. */
export function isOlder(one: AttemptCursor, other: AttemptCursor): boolean {
  return one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.number < other.number);
}

/** A place in the history as buttons and addresses hold it: 20 letters, digits and a hyphen at most. */
export function writeCursor({ createdAt, number }: AttemptCursor): string {
  return `${createdAt.toString(36)}-${number.toString(36)}`;
}

/** What `writeCursor` wrote; undefined for anything else. */
export function readCursor(text: string): AttemptCursor | undefined {
  if (!/^[0-9a-z]{1,10}-[0-9a-z]{1,10}$/.test(text)) return undefined;
  const [createdAt = 0, number = 0] = text.split("-").map((part) => Number.parseInt(part, 36));
  return { createdAt, number };
}
