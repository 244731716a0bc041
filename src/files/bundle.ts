import type { Now } from "../lib/clock.ts";
import { count } from "../lib/count.ts";
import type { Limits } from "../members/limits.ts";
import { announcementOf } from "./announcement.ts";
import type { BlobRow } from "./blob-ports.ts";
import { endOf } from "./expiry.ts";
import { safeName } from "./name.ts";
import type { FileIndex, FileRow, StoredFile } from "./ports.ts";
import { storedFile } from "./stored.ts";
import { lifeOf } from "./wishes.ts";
import { layoutZip, type ZipEntry, zipPaths } from "./zip.ts";

export interface BundleDeps {
  index: Pick<FileIndex, "find" | "isWhole" | "members" | "seal" | "unwrap">;
  limits: Limits["files"];
  publicUrl: string;
  wake(): void;
  now: Now;
}

type Member = { row: FileRow; blob: BlobRow | null };

/** Makes a bundle ready when all of its files are here; undefined while some are missing. */
export async function sealWhenWhole(deps: BundleDeps, id: string): Promise<StoredFile | undefined> {
  const { index } = deps;
  // Asked after each of thousands of files: all of them are read only once.
  const bundle = (await index.isWhole(id)) ? await index.find(id) : undefined;
  return bundle && (await seal(deps, bundle, await index.members(id)));
}

/**
 * Makes a bundle ready of the files that are here; one alone becomes a share by itself. Undefined when there is none,
 * or one is still on its way.
 */
export async function seal(
  deps: BundleDeps,
  bundle: FileRow,
  members: Member[],
): Promise<StoredFile | undefined> {
  const { index, limits, publicUrl, wake, now } = deps;
  const [first, ...others] = members;
  if (!first || members.some(({ row }) => row.state !== "ready")) return undefined;
  const readyAt = now();
  const expiresAt = endOf(readyAt, lifeOf(bundle, limits(bundle)));
  const announcement = announcementOf(bundle, readyAt);
  const share = {
    name: bundleName(bundle, members),
    sha256: layoutZip(zipEntries(members)).etag,
    members: members.length,
    bytes: members.reduce((sum, { row }) => sum + row.size, 0),
    readyAt,
    expiresAt,
  };
  const sealed =
    others.length === 0
      ? await index.unwrap(bundle.id, { memberId: first.row.id, readyAt, expiresAt }, announcement)
      : await index.seal(bundle.id, share, announcement);
  if (sealed && announcement) wake();
  return storedFile(sealed, readyAt, publicUrl);
}

/** The files of a bundle as entries of its ZIP. */
export function zipEntries(members: Member[]): ZipEntry[] {
  const paths = zipPaths(members.map(({ row }) => row.path ?? row.name ?? "file"));
  return members.map(({ row, blob }, index) => {
    if (!blob || blob.crc32 === null) throw new Error("a member without bytes or checksum");
    const { key, size, crc32 } = blob;
    return { path: paths[index] ?? "file", key, size, crc32, modifiedAt: row.readyAt ?? row.createdAt };
  });
}

/** What the ZIP is called: as its sender titled it, or as the one folder that all of it lies in. */
function bundleName({ title }: FileRow, members: Member[]): string {
  const folders = new Set(members.map(({ row }) => row.path?.split("/").slice(0, -1)[0]));
  const [folder] = folders.size === 1 ? folders : [];
  return safeName(`${title ?? folder ?? `${count(members.length, "file")}`}.zip`);
}
