import type { Job } from "../jobs/ports.ts";
import { abbreviate } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import { count } from "../lib/count.ts";
import { sleep } from "../lib/sleep.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobIndex, BlobPlace, BlobRow } from "./blob-ports.ts";
import { type CheckBlobDeps, checkMovable } from "./check-blob.ts";
import type { Reading } from "./digest.ts";
import { type OrphanDeps, orphansIn } from "./orphans.ts";

const HOUR = 60 * 60_000;
/** Every stored byte is read again about once a month. */
const CHECK_AFTER = 30 * 24 * HOUR;
const BATCH = 50;
/** At most so much is read in one run, and never faster: people's downloads come first. */
const BYTES_A_RUN = 20e9;
const BYTES_PER_SECOND = 20e6;
/** Read in one go: a fifth of a second's worth. */
const STRETCH = 4e6;

export interface ScrubDeps extends CheckBlobDeps, OrphanDeps {
  contents: Pick<BlobIndex, "find" | "unchecked" | "checked" | "users" | "distrust">;
  telemetry: Pick<Telemetry, "record" | "log">;
  now: Now;
  /** Waits; false as soon as the signal ends the wait. Tests don't wait. */
  wait?(ms: number, signal: AbortSignal): Promise<boolean>;
}

export interface ScrubReport {
  checked: number;
  /** Blobs whose bytes are gone or other ones. */
  damaged: number;
  /** Bytes that belonged to nothing, and are gone. */
  orphans: number;
}

/** Looks after what is stored, slowly, in the background: reads it again, and removes what belongs to nothing. */
export function scrubJob(deps: ScrubDeps): Job {
  const suspects = new Map<BlobPlace, ReadonlySet<string>>();
  return {
    name: "scrub",
    every: HOUR,
    async run(signal) {
      const { checked, damaged } = await scrub(deps, signal);
      let orphans = 0;
      try {
        for (const place of deps.stores.places) {
          const found = await reconcile(deps, {
            place,
            suspects: suspects.get(place) ?? new Set(),
            signal,
          });
          suspects.set(place, found.suspects);
          orphans += found.orphans;
        }
      } finally {
        say(deps.telemetry, { checked, damaged, orphans });
      }
    },
  };
}

function say({ log }: ScrubDeps["telemetry"], report: ScrubReport): void {
  const { damaged, orphans } = report;
  if (damaged + orphans === 0) return;
  log.warn(
    report,
    `scrub: ${count(damaged, "blob")} damaged, ${count(orphans, "orphan")} removed; wisbot files verify lists what is amiss`,
  );
}

/**
 * Reads again what was checked longest ago, at a rate that nobody notices. Throws WisError `disk.failed` when a store
 * does not let itself be read: what it holds is not checked then, and comes first the next time.
 */
export async function scrub(deps: ScrubDeps, signal: AbortSignal): Promise<Omit<ScrubReport, "orphans">> {
  const { contents, now } = deps;
  const report = { checked: 0, damaged: 0 };
  let bytes = 0;
  while (!signal.aborted && bytes < BYTES_A_RUN) {
    const due = await contents.unchecked(now() - CHECK_AFTER, BATCH);
    if (due.length === 0) break;
    for (const blob of due) {
      if (signal.aborted) return report;
      const pace = createReadingPace(deps, signal);
      if (!(await isSound(deps, blob, { signal, onRead: pace.read }))) report.damaged += 1;
      await contents.checked(blob.key, now());
      report.checked += 1;
      bytes += blob.size;
      await pace.end(blob.size);
    }
  }
  return report;
}

/** Waits as long as what was read of one blob may take. */
function createReadingPace({ wait = sleep }: Pick<ScrubDeps, "wait">, signal: AbortSignal) {
  let paid = 0;
  async function end(read: number): Promise<void> {
    const owed = read - paid;
    paid = read;
    await wait(Math.ceil((owed / BYTES_PER_SECOND) * 1000), signal);
  }
  return { end, read: (read: number) => (read - paid < STRETCH ? undefined : end(read)) };
}

async function isSound(deps: ScrubDeps, blob: BlobRow, reading: Reading): Promise<boolean> {
  const { contents, telemetry } = deps;
  const finding = await checkMovable(deps, blob, reading);
  const users = finding === "sound" ? [] : await contents.users(blob.key);
  if (users.length === 0) return true;
  // Whoever sends the same file again brings good bytes: they are kept, and heal all who have these.
  await contents.distrust(blob.key);
  const ids = users.map(({ id }) => abbreviate(id)).join(", ");
  telemetry.record(new Error(`the bytes of ${ids} are ${finding}`), "reading stored bytes again");
  return false;
}

/**
 * Removes bytes of one place that belong to nothing, once two runs have seen them so: nothing that is on its way takes an hour for
 * the step in between. A file without its bytes is left as it is: a disk that is not mounted must cost nobody a row.
 */
export async function reconcile(
  deps: ScrubDeps,
  { place, suspects, signal }: { place: BlobPlace; suspects: ReadonlySet<string>; signal: AbortSignal },
): Promise<{ orphans: number; suspects: Set<string> }> {
  const seen = new Set<string>();
  let orphans = 0;
  for await (const key of orphansIn(deps, place, signal)) {
    if (!suspects.has(key)) {
      seen.add(key);
      continue;
    }
    await deps.stores.at(place).delete(key);
    orphans += 1;
  }
  return { orphans, suspects: seen };
}
