import type { Job } from "../jobs/ports.ts";
import { newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { FileIndex } from "./ports.ts";

const BATCH = 200;

export interface RemindDeps {
  index: Pick<FileIndex, "remind">;
  /** How long before a file goes its owner is told, milliseconds. */
  lead: number;
  /** Called when messages are owed. */
  wake(): void;
  now: Now;
}

/** Tells owners before their files go. */
export function remindJob({ every, ...deps }: RemindDeps & { every: number }): Job {
  return { name: "remind", every, run: (signal) => remindOwners(deps, signal) };
}

export async function remindOwners(
  { index, lead, wake, now }: RemindDeps,
  signal: AbortSignal,
): Promise<void> {
  let owed = BATCH;
  while (owed === BATCH && !signal.aborted) {
    owed = await index.remind({ lead, now: now(), limit: BATCH, newId: newCapability });
    if (owed > 0) wake();
  }
}
