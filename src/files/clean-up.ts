import { setImmediate as breathe } from "node:timers/promises";
import type { Job } from "../jobs/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import { count } from "../lib/count.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobIndex } from "./blob-ports.ts";
import { type BundleDeps, seal } from "./bundle.ts";
import { dropBytes } from "./drop-bytes.ts";
import { bytesOf, type EraseDeps, eraseDead, eraseDeleting } from "./erase.ts";
import { TOMBSTONE_LIFE } from "./expiry.ts";
import { eraseReplaced } from "./known-bytes.ts";
import { DEAD_AFTER, type LiveUploads } from "./live-uploads.ts";
import type { FileIndex, FileRow } from "./ports.ts";

export interface CleanUpDeps extends EraseDeps, BundleDeps {
  index: FileIndex;
  contents: Pick<BlobIndex, "replaced" | "forget">;
  /** Logs whose old entries go too. */
  logs: { log: AgingLog; life: number }[];
  /**
   * What this process is receiving. Undefined: another process holds the data dir's lock, so everything that is
   * `uploading` is left to that one.
   */
  live: Pick<LiveUploads, "has"> | undefined;
  telemetry: Pick<Telemetry, "record" | "span" | "log">;
}

/** Entries that are dropped when they are `life` milliseconds old. */
export interface AgingLog {
  /** Drops entries that ended before `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

export interface CleanUpReport {
  expired_files: number;
  expired_links: number;
  abandoned_uploads: number;
  old_records: number;
  bytes: number;
  /** What would not go; recorded, and tried again next time. */
  failed: number;
}

/** Rows a statement: a few milliseconds of SQLite. */
const BATCH = 200;
/** A disk that refuses so many deletions refuses them all: the next run may find it mended. */
const MAX_FAILED = 100;

/** Removes what has expired, at once and then `every` so many milliseconds. */
export function cleanUpJob({ every, ...deps }: CleanUpDeps & { every: number }): Job {
  return {
    name: "clean-up",
    every,
    async run(signal) {
      await cleanUp(deps, signal);
    },
  };
}

/**
 * Removes expired files and links, dead uploads, deletions that were cut short, and records past their time. It works
 * in small batches, gives the event loop its turn, and costs by what it removes. One blob that won't go stops nothing.
 */
export async function cleanUp(deps: CleanUpDeps, signal: AbortSignal): Promise<CleanUpReport> {
  const started = performance.now();
  await sealOverdue(deps, signal);
  // What nobody goes on with gives its link back, which may have expired long ago.
  const abandoned = await eraseAbandoned(deps, signal);
  const expired = await eraseExpired(deps, signal);
  const leftover = await eraseLeftovers(deps, signal, expired.failed);
  const stuck = await dropReplaced(deps, signal);
  const gone = [...expired.rows, ...leftover.rows];
  const links = gone.filter(({ readyAt }) => readyAt === null).length;
  const report: CleanUpReport = {
    expired_files: gone.length - links,
    expired_links: links,
    abandoned_uploads: abandoned.rows.length,
    old_records: await dropRecords(deps, signal),
    bytes: bytesOf(gone) + bytesOf(abandoned.rows),
    failed: new Set([...expired.failed, ...abandoned.failed, ...leftover.failed, ...stuck]).size,
  };
  say(deps.telemetry, report, Math.round(performance.now() - started));
  return report;
}

/** What one phase did: enough of each row to count it. */
interface Phase {
  rows: Pick<FileRow, "size" | "readyAt">[];
  failed: string[];
}

/** Repeats `step` until it finds nothing more, or too much has failed. */
async function phase(signal: AbortSignal, step: (failed: string[]) => Promise<Phase>): Promise<Phase> {
  const total: Phase = { rows: [], failed: [] };
  while (!signal.aborted && total.failed.length < MAX_FAILED) {
    const { rows, failed } = await step(total.failed);
    if (rows.length + failed.length === 0) break;
    for (const { size, readyAt } of rows) total.rows.push({ size, readyAt });
    total.failed.push(...failed);
    await breathe();
  }
  return total;
}

/** Bundles whose senders never came back are shared as they are: what has arrived is not thrown away. */
async function sealOverdue(deps: CleanUpDeps, signal: AbortSignal): Promise<void> {
  const { index, live, now, telemetry } = deps;
  if (!live) return;
  for (const bundle of await index.overdueBundles(now(), BATCH)) {
    if (signal.aborted) return;
    try {
      const members = await index.members(bundle.id);
      if (members.some(({ row }) => live.has(row.id))) continue;
      const cut = members.filter(({ row }) => row.state === "uploading").map(({ row }) => row.id);
      await dropBytes(deps.stores, await index.release(cut));
      await seal(deps, bundle, await index.members(bundle.id));
    } catch (error) {
      telemetry.record(error, "finishing a bundle that nobody goes on with");
    }
  }
}

/** Files, bundles and links past their time. Of thousands of bundles' files, a batch at a time is marked and erased. */
function eraseExpired(deps: CleanUpDeps, signal: AbortSignal): Promise<Phase> {
  const { index, audit, now } = deps;
  return phase(signal, async () => {
    const members = await index.markMembers(BATCH);
    if (members.length > 0) return await eraseDeleting(deps, members, "expired");
    const rows = await index.markExpired(now(), BATCH);
    for (const row of rows) {
      if (row.readyAt !== null) {
        audit.note({ ...row, shareId: row.id, name: row.name ?? "" }, "expired", "clean-up");
      }
    }
    // A bundle goes with the last of its files.
    const bare = rows.filter(({ bundleBytes }) => bundleBytes === null);
    const first = bare.length === rows.length ? [] : await index.markMembers(BATCH);
    return await eraseDeleting(deps, [...bare, ...first], "expired");
  });
}

/** Uploads of a process that died: of this one's none, whatever a clock that jumped says of their heartbeats. */
function eraseAbandoned(deps: CleanUpDeps, signal: AbortSignal): Promise<Phase> {
  const { index, live, now } = deps;
  if (!live) return Promise.resolve({ rows: [], failed: [] });
  const left = new Set<string>();
  return phase(signal, async (failed) => {
    const silentSince = now() - DEAD_AFTER;
    const silent = await index.abandoned(silentSince, now(), BATCH + left.size + failed.length);
    for (const { id } of silent) if (live.has(id)) left.add(id);
    const dead = silent.filter(({ id }) => !left.has(id) && !failed.includes(id));
    return eraseDead(deps, dead, { reason: "abandoned", silentSince });
  });
}

/** Deletions that a crash or a failing disk cut short. */
function eraseLeftovers(deps: CleanUpDeps, signal: AbortSignal, known: string[]): Promise<Phase> {
  return phase(signal, async (failed) => {
    const rows = await deps.index.deleting(BATCH + known.length + failed.length);
    const untried = rows.filter(({ id }) => !known.includes(id) && !failed.includes(id));
    return eraseDeleting(deps, untried, "expired");
  });
}

/** Damaged bytes whose files have sound ones by now. Gives those that would not go. */
async function dropReplaced(deps: CleanUpDeps, signal: AbortSignal): Promise<string[]> {
  const stuck: string[] = [];
  let found = true;
  while (found && !signal.aborted && stuck.length < MAX_FAILED) {
    const { erased, failed } = await eraseReplaced(deps, BATCH, stuck);
    stuck.push(...failed);
    found = erased + failed.length > 0;
    await breathe();
  }
  return stuck;
}

async function dropRecords({ index, logs, now }: CleanUpDeps, signal: AbortSignal): Promise<number> {
  const drops = [
    () => index.dropTombstones(now() - TOMBSTONE_LIFE, BATCH),
    ...logs.map(
      ({ log, life }) =>
        () =>
          log.drop(now() - life, BATCH),
    ),
  ];
  let dropped = 0;
  for (const drop of drops) {
    let count = BATCH;
    while (count === BATCH && !signal.aborted) {
      count = await drop();
      dropped += count;
      await breathe();
    }
  }
  return dropped;
}

function say({ log }: Pick<Telemetry, "log">, report: CleanUpReport, ms: number) {
  const { expired_files, expired_links, abandoned_uploads, old_records, bytes, failed } = report;
  const fields = {
    ...report,
    ms,
  };
  const parts = [
    `${count(expired_files, "file")} (${formatBytes(bytes)})`,
    count(expired_links, "link"),
    count(abandoned_uploads, "dead upload"),
    count(old_records, "old record"),
  ];
  if (failed > 0) return log.warn(fields, `clean-up: removed ${parts.join(", ")}; ${failed} would not go`);
  if (expired_files + expired_links + abandoned_uploads + old_records === 0) {
    return log.debug({ ms }, "clean-up: nothing to remove");
  }
  return log.info(fields, `clean-up: removed ${parts.join(", ")}`);
}
