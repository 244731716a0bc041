import { basename } from "node:path";
import { toWisError, WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { FileRow, FileState, StoredFile } from "../files/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import { count } from "../lib/count.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { save } from "./files-save.ts";
import { withDesk } from "./files-session.ts";
import { note, openProgress, print, printJson, table } from "./output.ts";

interface Input {
  globals: Globals;
  json: boolean;
}

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
/** For people: local time to the minute. */
const local = (at: number | null) => (at === null ? "–" : new Date(at).toLocaleString("sv-SE").slice(0, 16));

/** When a file goes; of an open link, when that does. */
const endOfRow = (row: FileRow) => (row.state === "pending" ? row.linkExpiresAt : row.expiresAt);

/** `files list`: rows of every state, or of those asked for. */
export async function list(input: Input & { owner?: string; state?: FileState[] }): Promise<ExitCode> {
  const { globals, json, owner, state } = input;
  const filter = { ...(owner !== undefined && { ownerId: owner }), ...(state && { states: state }) };
  const rows = await withDesk(globals, ({ files }) => Array.fromAsync(files.list(filter)));
  if (json) printJson(rows.map(rowAsJson));
  else if (rows.length === 0) note("No files.");
  else print(table([["ID", "NAME", "SIZE", "OWNER", "STATE", "EXPIRES"], ...rows.map(rowAsCells)]));
  return exit.ok;
}

function rowAsJson(row: FileRow) {
  const { id, name, size, sha256, ownerId, state } = row;
  return { id, name, size, sha256, owner: ownerId, state, expires_at: iso(endOfRow(row)) };
}

function rowAsCells(row: FileRow): string[] {
  const { id, name, size, ownerId, state } = row;
  return [id, name ?? "–", formatBytes(size), ownerId, state, local(endOfRow(row))];
}

/** `files show`: a file that can be downloaded. [file.unknown] */
export async function show({ globals, json, id }: Input & { id: string }): Promise<ExitCode> {
  const file = await withDesk(globals, ({ files }) => files.get(id));
  if (json) printJson(fileAsJson(file));
  else print(table(fileAsLines(file)));
  return exit.ok;
}

function fileAsJson({ id, name, size, contentType, sha256, ownerId, readyAt, expiresAt, url }: StoredFile) {
  return {
    id,
    name,
    size,
    content_type: contentType,
    sha256,
    owner: ownerId,
    state: "ready",
    ready_at: iso(readyAt),
    expires_at: iso(expiresAt),
    url,
  };
}

function fileAsLines(file: StoredFile): string[][] {
  return [
    ["Name", file.name],
    ["Link", file.url],
    ["Size", `${formatBytes(file.size)} (${file.size} bytes)`],
    ["Type", file.contentType],
    ["SHA-256", file.sha256],
    ["Owner", file.ownerId],
    ["Uploaded", local(file.readyAt)],
    ["Expires", local(file.expiresAt)],
  ];
}

/** `files add`: stores a file of this machine. [usage, quota.*, file.too_large, disk.*] */
export async function add(
  input: Input & { path: string; owner: string; expires?: number },
): Promise<ExitCode> {
  const { globals, json, path, owner, expires } = input;
  const length = await lengthOf(path);
  const file = await withDesk(globals, async ({ files }, signal) => {
    using progress = openProgress(`Storing ${basename(path)}`, formatBytes);
    return await files.add(
      { ownerId: owner, ...(expires !== undefined && { expireAfter: expires }) },
      {
        name: basename(path),
        contentType: undefined,
        length,
        body: Bun.file(path).stream(),
        signal,
        onProgress: (bytes) => progress.update(bytes, length),
      },
    );
  });
  if (json) printJson(linkAsJson(file));
  else print(file.url);
  return exit.ok;
}

/** In bytes; undefined for a pipe, whose length nobody knows. */
async function lengthOf(path: string): Promise<number | undefined> {
  const found = await Bun.file(path)
    .stat()
    .catch((cause: unknown) => {
      throw new WisError("usage", { say: `${path} can't be read.`, hint: "Name a file that exists.", cause });
    });
  if (found.isDirectory()) {
    throw new WisError("usage", { say: `${path} is a folder.`, hint: "Pack it into one file first." });
  }
  return found.isFile() ? found.size : undefined;
}

const linkAsJson = ({ id, url, expiresAt }: { id: string; url: string; expiresAt: number }) => ({
  id,
  url,
  expires_at: iso(expiresAt),
});

/** `files link`: a personal upload link. [quota.files] */
export async function link({ globals, json, owner }: Input & { owner: string }): Promise<ExitCode> {
  const { fileId, url, expiresAt } = await withDesk(globals, ({ files }) => files.issue({ ownerId: owner }));
  if (json) printJson(linkAsJson({ id: fileId, url, expiresAt }));
  else print(url);
  return exit.ok;
}

/** `files get`: a file's bytes. [file.unknown, file.corrupt, usage] */
export async function get(
  input: Input & { id: string; path: string | undefined; force: boolean },
): Promise<ExitCode> {
  const { globals, json, id, path, force } = input;
  if (json && path === "-") {
    throw new WisError("usage", {
      say: "The bytes and --json can't both go to stdout.",
      hint: "Name a path.",
    });
  }
  const { file, savedTo } = await withDesk(globals, async ({ files }, signal) => {
    const found = await files.get(id);
    return { file: found, savedTo: await save(await files.open(found), found, { path, force, signal }) };
  });
  if (savedTo === undefined) return exit.ok;
  if (json) printJson({ id, path: savedTo, size: file.size, sha256: file.sha256 });
  else print(savedTo);
  return exit.ok;
}

/** `files extend`: counts from now. [file.unknown] */
export async function extend(input: Input & { id: string; expires?: number }): Promise<ExitCode> {
  const { globals, json, id, expires } = input;
  const file = await withDesk(globals, ({ files }) => files.extend(id, "admin", expires));
  if (json) printJson(linkAsJson(file));
  else print(`${file.name} is kept until ${local(file.expiresAt)}.`);
  return exit.ok;
}

/** `files rm`: tries every id, then fails if one failed. */
export async function remove({ globals, json, ids }: Input & { ids: string[] }): Promise<ExitCode> {
  const outcomes = await withDesk(globals, async ({ files }) => {
    const done: Removal[] = [];
    for (const id of ids) done.push(await removeOne(files, id));
    return done;
  });
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (json) {
    const removed = outcomes.filter(({ error }) => error === undefined).map(({ id }) => id);
    printJson({
      removed,
      failed: failed.map(({ id, error }) => ({ id, code: error?.code, say: error?.say })),
    });
  } else {
    for (const { id, error } of outcomes) error ? note(`${id}: ${error.say}`) : print(id);
  }
  return failed.length === 0 ? exit.ok : exit.failed;
}

interface Removal {
  id: string;
  error: WisError | undefined;
}

async function removeOne(files: Pick<Files, "remove">, id: string): Promise<Removal> {
  try {
    await files.remove(id, "admin");
    return { id, error: undefined };
  } catch (error) {
    return { id, error: toWisError(error) };
  }
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
