import { WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { FileState } from "../files/ports.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { linkAsJson } from "./files-add.ts";
import { save } from "./files-save.ts";
import { withDesk } from "./files-session.ts";
import { fileAsJson, fileAsLines, fileColumns, local, rowAsCells, rowAsJson } from "./files-shown.ts";
import { oneByOne, tellOutcomes } from "./one-by-one.ts";
import { note, print, printJson, table } from "./output.ts";

interface Input {
  globals: Globals;
  json: boolean;
}

/** `files list`: rows of every state, or of those asked for. */
export async function list(input: Input & { owner?: string; state?: FileState[] }): Promise<ExitCode> {
  const { globals, json, owner, state } = input;
  const filter = { ...(owner !== undefined && { ownerId: owner }), ...(state && { states: state }) };
  const rows = await withDesk(globals, ({ files }) => Array.fromAsync(files.list(filter)));
  if (json) printJson(rows.map(rowAsJson));
  else if (rows.length === 0) note("No files.");
  else print(table([fileColumns, ...rows.map(rowAsCells)]));
  return exit.ok;
}

/** `files show`: a file or bundle that can be downloaded. [file.unknown] */
export async function show({ globals, json, id }: Input & { id: string }): Promise<ExitCode> {
  const shown = await withDesk(globals, async ({ files }) => {
    const file = await files.get(id);
    return { file, members: file.members === undefined ? [] : await files.members(file) };
  });
  if (json) printJson(fileAsJson(shown));
  else print(table(fileAsLines(shown)));
  return exit.ok;
}

/** `files link`: a personal upload link. [quota.files] */
export async function link({ globals, json, owner }: Input & { owner: string }): Promise<ExitCode> {
  const { fileId, url, expiresAt } = await withDesk(globals, ({ files }) => files.issue({ ownerId: owner }));
  if (json) printJson(linkAsJson({ id: fileId, url, expiresAt }));
  else print(url);
  return exit.ok;
}

/** `files get`: a file's bytes, or a bundle's as a ZIP. [file.unknown, file.corrupt, usage] */
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
  const saved = await withDesk(globals, async ({ files }, signal) =>
    save(await sourceOf(files, id, signal), { path, force, signal }),
  );
  if (saved === undefined) return exit.ok;
  if (json) printJson({ id, ...saved });
  else print(saved.path);
  return exit.ok;
}

async function sourceOf(files: Files, id: string, signal: AbortSignal) {
  const file = await files.get(id);
  const { name, size, sha256 } = file;
  if (file.members === undefined) return { name, size, sha256, stream: (await files.open(file)).stream() };
  const zip = await files.zip(file);
  return { name, size: zip.size, stream: zip.read({ start: 0, end: zip.size - 1 }, signal) };
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
  const outcomes = await withDesk(globals, ({ files }) => oneByOne(ids, (id) => files.remove(id, "admin")));
  return tellOutcomes(outcomes, { json, done: "removed" });
}
