import type { Job } from "../jobs/ports.ts";
import { newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { FileIndex } from "./ports.ts";

const BATCH = 200;
/** Between two runs, milliseconds: no lead is so short that it is worth more. */
const SHORTEST_PAUSE = 1_000;

export interface RemindDeps {
  index: Pick<FileIndex, "remind">;
  /** How long before a file goes its owner is told, milliseconds. */
  lead: number;
  /** Called when messages are owed. */
  wake(): void;
  now: Now;
}

/**
 * Tells owners before their files go: with every clean-up, and often enough that of the time they were promised no more
 * than a quarter has passed.
 */
export function remindJob({ cleanUpEvery, ...deps }: RemindDeps & { cleanUpEvery: number }): Job {
  const every = Math.min(cleanUpEvery, Math.max(deps.lead / 4, SHORTEST_PAUSE));
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
