import { WisError } from "../errors.ts";
import type { BlobPlace } from "../files/blob-ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import { count } from "../lib/count.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { withDesk } from "./files-session.ts";
import { auditWords, iso, local } from "./files-shown.ts";
import { note, openProgress, print, printJson, table } from "./output.ts";

// What an admin does with all that is stored, rather than with one file.

interface Input {
  globals: Globals;
  json: boolean;
}

/** `files prune`: the clean-up, now. Fails when something would not go. */
export async function prune({ globals, json }: Input): Promise<ExitCode> {
  const report = await withDesk(globals, (desk, signal) => desk.cleanUp(signal));
  const { expired_files, expired_links, abandoned_uploads, bytes, failed } = report;
  if (json) printJson(report);
  else {
    const uploads = abandoned_uploads > 0 ? ` and ${count(abandoned_uploads, "dead upload")}` : "";
    print(
      `Removed ${count(expired_files, "file")} (${formatBytes(bytes)}), ${count(expired_links, "link")}${uploads}.`,
    );
    if (failed > 0) note(`${failed} would not go: see the errors above.`);
  }
  return failed === 0 ? exit.ok : exit.failed;
}

const amiss = {
  rows_without_bytes: "its bytes are missing",
  bytes_without_rows: "bytes that belong to no file",
  corrupt: "its bytes are not the ones that were sent",
} as const;

/** `files verify`: fails when anything is amiss. */
export async function verify({ globals, json }: Input): Promise<ExitCode> {
  let checked = 0;
  const report = await withDesk(globals, async (desk, signal) => {
    using progress = openProgress("Verifying", formatBytes);
    const onProgress = (files: number, bytes: number) => {
      checked = files;
      progress.update(bytes, undefined);
    };
    return await desk.verify({ signal, onProgress });
  });
  const lines = Object.entries(amiss).flatMap(([kind, words]) =>
    report[kind as keyof typeof amiss].map((id) => `${id}: ${words}`),
  );
  if (json) printJson(report);
  else print(lines.length > 0 ? lines.join("\n") : `Sound: ${count(checked, "file")}.`);
  return lines.length === 0 ? exit.ok : exit.failed;
}

/** Entries that are asked for at once. */
const PAGE = 1_000;

/** `files audit`: what happened to one file, to an owner's, or to all, newest first. [usage] */
export async function audit(
  input: Input & { id: string | undefined; owner?: string; limit: number },
): Promise<ExitCode> {
  const { globals, json, id, owner, limit } = input;
  if (id !== undefined && owner !== undefined) {
    throw new WisError("usage", { say: "A file has one owner.", hint: "Name the file, or its owner." });
  }
  const filter = { ...(id !== undefined && { fileId: id }), ...(owner !== undefined && { ownerId: owner }) };
  const entries = await withDesk(globals, async ({ files }) => {
    const found: Awaited<ReturnType<typeof files.audit>> = [];
    for (;;) {
      const before = found.at(-1)?.id;
      const wanted = Math.min(PAGE, limit - found.length);
      const page = await files.audit({ ...filter, limit: wanted, ...(before !== undefined && { before }) });
      found.push(...page);
      if (page.length < wanted || found.length === limit) return found;
    }
  });
  if (json) {
    printJson(
      entries.map(({ at, action, who, name, fileId, ownerId }) => {
        return { at: iso(at), action, who, name, id: fileId, owner: ownerId };
      }),
    );
  } else if (entries.length === 0)
    note("Nothing has happened yet, or it is older than files.keep_audit_for.");
  else {
    const rows = entries.map(({ at, action, who, name, fileId }) => {
      return [local(at), auditWords[action], who, name, fileId];
    });
    print(table([["WHEN", "WHAT", "WHO", "NAME", "ID"], ...rows]));
  }
  return exit.ok;
}

const placeNames = { disk: "the disk", s3: "S3" };

/** `files migrate`: moves all stored bytes. Fails when some would not go. [config.invalid, data_dir.locked, disk.*] */
export async function migrate({ globals, json, to }: Input & { to: BlobPlace }): Promise<ExitCode> {
  const { report, configured } = await withDesk(globals, async (desk, signal, { config }) => {
    if (!config.files.s3) throw noS3();
    using progress = openProgress(`Moving to ${placeNames[to]}`, formatBytes);
    const onProgress = (bytes: number, total: number) => progress.update(bytes, total);
    const moving = desk.migrate({ to, signal, onProgress });
    return {
      report: await moving.catch((error: unknown) => {
        throw signal.aborted ? interrupted(error) : error;
      }),
      configured: config.files.store,
    };
  });
  const { blobs, bytes, failed } = report;
  if (json) printJson({ to, ...report });
  else print(`Moved ${count(blobs, "blob")} (${formatBytes(bytes)}) to ${placeNames[to]}.`);
  if (failed.length > 0) {
    note(`${count(failed.length, "blob")} would not go and stayed where they were: see the errors above.`);
    note("Run it again once that is mended: it goes on with what is left.");
  }
  if (configured !== to)
    note(`New files still go to ${placeNames[configured]}: set files.store to ${to} and restart wisbot.`);
  return failed.length === 0 ? exit.ok : exit.failed;
}

function noS3(): WisError {
  return new WisError("config.invalid", {
    say: "There is no S3 store in the configuration, so there is nothing to move to or from.",
    hint: "Describe it under files.s3 in config.yaml, then run: wisbot doctor --only s3.reachable",
  });
}

function interrupted(cause: unknown): WisError {
  return new WisError("shutting_down", {
    say: "Interrupted: what was moved stays moved, the rest is where it was.",
    hint: "Run the command again: it goes on with what is left.",
    cause,
  });
}
