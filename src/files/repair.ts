import { count } from "../lib/count.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { type EraseDeps, eraseDead, eraseDeleting } from "./erase.ts";
import { DEAD_AFTER } from "./live-uploads.ts";
import type { FileIndex, FileRow } from "./ports.ts";
import { allRows } from "./rows.ts";

export interface RepairDeps extends EraseDeps {
  index: FileIndex;
  telemetry: Pick<Telemetry, "record" | "log">;
}

export interface RepairReport {
  /** Uploads that the last process left unfinished: undone, their links work again until they expire. */
  uploads: number;
  /** Deletions that it left half done. */
  deletions: number;
  /** Unfinished writes that belonged to nothing. */
  fragments: number;
  /** What would not go; recorded, and left to the clean-up. */
  failed: number;
}

/**
 * Puts right what a process that died left behind. Only the holder of the data dir's lock may call it, and before it
 * takes its first upload.
 *
 * Links are served by the lock's holder alone, so every upload through one is dead, but for those that can be gone on
 * with. An upload without a link may be a `files add` that goes on beside us: it is dead only when its heartbeat has
 * stopped, or else the clean-up's to judge.
 */
export async function repairFiles(deps: RepairDeps): Promise<RepairReport> {
  const { index, telemetry, now } = deps;
  const uploading = await Array.fromAsync(allRows(index, { states: ["uploading"], members: true }));
  const silent = await index.abandoned(now() - DEAD_AFTER, now(), uploading.length);
  const silentIds = new Set(silent.map(({ id }) => id));
  const dead = uploading.filter((row) => silentIds.has(row.id) || (isOurs(row) && !canGoOn(row, now())));

  const uploads = await eraseDead(deps, dead, { reason: "repaired", silentSince: Number.MAX_SAFE_INTEGER });
  const deleting = await Array.fromAsync(allRows(index, { states: ["deleting"], members: true }));
  const deletions = await eraseDeleting(deps, deleting, "repaired");
  const report: RepairReport = {
    uploads: uploads.rows.length,
    deletions: deletions.rows.length,
    fragments: await sweepAll(deps),
    failed: uploads.failed.length + deletions.failed.length,
  };
  if (Object.values(report).some((count) => count > 0)) telemetry.log.warn(report, sentence(report));
  return report;
}

/** A row precedes its bytes: a `files add` that begins meanwhile is known by the time its bytes are asked about. */
async function sweepAll({ index, stores }: Pick<RepairDeps, "index" | "stores">): Promise<number> {
  const isInUse = async (key: string) => (await index.findByUpload(key))?.state === "uploading";
  let swept = 0;
  for (const place of stores.places) swept += await stores.at(place).sweep(isInUse);
  return swept;
}

/** Came through a link, by itself or as one file of a bundle. */
function isOurs({ linkExpiresAt, parentId }: FileRow): boolean {
  return linkExpiresAt !== null || parentId !== null;
}

function canGoOn({ resumeUntil }: FileRow, now: number): boolean {
  return resumeUntil !== null && resumeUntil > now;
}

function sentence({ uploads, deletions, fragments, failed }: RepairReport): string {
  const parts = [
    count(uploads, "cut upload"),
    count(deletions, "unfinished deletion"),
    count(fragments, "loose fragment"),
  ];
  const done = `repaired what the last run left behind: ${parts.join(", ")}`;
  return failed === 0 ? done : `${done}; ${failed} could not be repaired and are tried again by the clean-up`;
}
