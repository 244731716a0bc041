import type { AuditAction, FileRow, StoredFile } from "../files/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import { count } from "../lib/count.ts";

// How files look on the command line: for scripts, and for people.

/** Null where there is none. */
export const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
/** For people: local time to the minute. */
export const local = (at: number | null) =>
  at === null ? "–" : new Date(at).toLocaleString("sv-SE").slice(0, 16);

/** When a file goes; of an open link, when that does. */
const endOfRow = (row: FileRow) => (row.state === "pending" ? row.linkExpiresAt : row.expiresAt);
const sizeOfRow = ({ size, bundleBytes }: FileRow) => bundleBytes ?? size;
/** Null for a file, and for a bundle that is not done: nobody knows yet how many will come. */
const filesOfRow = ({ state, expected }: FileRow) => (state === "ready" ? expected : null);

export const fileColumns = ["ID", "NAME", "FILES", "SIZE", "DOWNLOADS", "OWNER", "STATE", "EXPIRES"];

export function rowAsCells(row: FileRow): string[] {
  const { id, name, ownerId, state } = row;
  const files = filesOfRow(row) ?? (state === "pending" ? "–" : 1);
  const size = formatBytes(sizeOfRow(row));
  return [id, name ?? "–", String(files), size, downloadsOf(row), ownerId, state, local(endOfRow(row))];
}

/** `files`: how many a bundle has; null for a single file. */
export function rowAsJson(row: FileRow) {
  const { id, name, sha256, ownerId, state, title, downloads, maxDownloads } = row;
  return {
    id,
    name,
    size: sizeOfRow(row),
    sha256,
    owner: ownerId,
    state,
    expires_at: iso(endOfRow(row)),
    files: filesOfRow(row),
    title,
    password: row.passwordHash !== null,
    downloads,
    max_downloads: maxDownloads,
  };
}

function downloadsOf({ downloads, maxDownloads }: Pick<FileRow, "downloads" | "maxDownloads">): string {
  return maxDownloads === null ? String(downloads) : `${downloads} of ${maxDownloads}`;
}

/** A file with what it holds: `members` are a bundle's, and empty for a file. */
export interface ShownFile {
  file: StoredFile;
  members: StoredFile[];
}

export function fileAsJson({ file, members }: ShownFile) {
  const { id, name, size, sha256, readyAt, expiresAt } = file;
  return {
    id,
    name,
    size,
    content_type: file.contentType,
    sha256,
    owner: file.ownerId,
    state: "ready",
    ready_at: iso(readyAt),
    expires_at: iso(expiresAt),
    url: file.url,
    title: file.title,
    note: file.note,
    password: file.passwordHash !== null,
    downloads: file.downloads,
    max_downloads: file.maxDownloads,
    bundle: file.shareId === id ? null : file.shareId,
    files: file.members === undefined ? null : members.map(memberAsJson),
  };
}

function memberAsJson({ id, name, path, size, contentType, sha256 }: StoredFile) {
  return { id, name, path: path ?? name, size, content_type: contentType, sha256 };
}

export function fileAsLines({ file, members }: ShownFile): string[][] {
  const { size, members: files, title, note, shareId } = file;
  const bytes = `${formatBytes(size)} (${size} bytes)`;
  return [
    ["Name", file.name],
    ...(title === null ? [] : [["Title", title]]),
    ...(note ?? "")
      .split("\n")
      .flatMap((line, index) => (note === null ? [] : [[index ? "" : "Note", line]])),
    ["Link", file.url],
    ["Size", files === undefined ? bytes : `${bytes} in ${count(files, "file")}`],
    ["Type", file.contentType],
    ["SHA-256", files === undefined ? file.sha256 : "each file's own: see --json"],
    ["Owner", file.ownerId],
    ["Password", file.passwordHash === null ? "no" : "yes"],
    ["Downloads", downloadsOf(file)],
    ...(shareId === file.id ? [] : [["Bundle", shareId]]),
    ["Uploaded", local(file.readyAt)],
    ["Expires", local(file.expiresAt)],
    ...members.map((one, index) => [
      index ? "" : "Files",
      `${one.id}  ${formatBytes(one.size)}  ${pathOf(one)}`,
    ]),
  ];
}

const pathOf = ({ path, name }: StoredFile) => path ?? name;

/** What an entry of the audit says happened, in words. */
export const auditWords: Record<AuditAction, string> = {
  uploaded: "uploaded",
  downloaded: "downloaded",
  viewed: "looked at",
  extended: "kept longer",
  changed: "changed",
  deleted: "deleted",
  expired: "expired",
  refused: "refused",
};
