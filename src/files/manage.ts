import { WisError } from "../errors.ts";
import type { Limits } from "../members/limits.ts";
import { type Member, mayManage } from "../members/member.ts";
import { getFile, unknownFile } from "./download.ts";
import { type EraseDeps, eraseDeleting } from "./erase.ts";
import { endOf } from "./expiry.ts";
import { DEAD_AFTER, type LiveUploads } from "./live-uploads.ts";
import type { FileIndex, FileRow, StoredFile } from "./ports.ts";
import { isCapability } from "./ticket.ts";
import { beingSent } from "./upload-errors.ts";
import { lifeOf } from "./wishes.ts";

export interface ManageDeps extends EraseDeps {
  index: EraseDeps["index"] & Pick<FileIndex, "find" | "members" | "setExpiry" | "markDeleting">;
  live: Pick<LiveUploads, "has">;
  /** This process holds the data dir's lock, so that whatever comes through a link comes to it. */
  locked: boolean;
  limits: Limits["files"];
  publicUrl: string;
}

/** Gives a file a new life from now: see Files.extend. */
export async function extendFile(
  deps: ManageDeps,
  id: string,
  by: Member | "admin",
  expireAfter?: number,
): Promise<StoredFile> {
  const { index, limits, audit, now } = deps;
  const file = await getFile(deps, id);
  refuseStranger(by, file.ownerId);
  const row = await index.find(id);
  // A bundle's file lives as long as its bundle.
  if (!row || row.parentId !== null) throw unknownFile();
  const usual = () => Math.max(file.expiresAt, endOf(now(), lifeOf(row, limits(row))));
  const expiresAt = expireAfter === undefined ? usual() : endOf(now(), expireAfter);
  if (expiresAt === file.expiresAt) return file;
  if (!(await index.setExpiry(id, expiresAt))) throw unknownFile();
  audit.note(file, "extended", nameOf(by));
  return { ...file, expiresAt };
}

/** Takes a file, an open link or a cut upload away for good: see Files.remove. */
export async function removeFile(deps: ManageDeps, id: string, by: Member | "admin"): Promise<void> {
  const { index, live, audit } = deps;
  const row = isCapability(id) ? await index.find(id) : undefined;
  if (!row) throw unknownFile();
  refuseStranger(by, row.ownerId);
  if (live.has(id)) throw beingSent();
  if (!(await index.markDeleting(id, silentSince(deps, row)))) {
    throw row.state === "uploading" ? beingSent() : unknownFile();
  }
  // At once, whatever fails from here on. Of a link that nothing came through there is nothing to tell.
  if (row.name !== null || row.expected !== null) {
    const name = row.name ?? row.title ?? "an unfinished bundle";
    audit.note({ ...row, shareId: row.parentId ?? row.id, name }, "deleted", nameOf(by));
  }
  const members = (await index.members(id)).map(({ row: member }) => member);
  // What would not go is gone for everybody all the same: it is recorded, and tried again by the clean-up.
  await eraseDeleting(deps, [...members, row], "removed");
}

/** Whoever sends in another process is known by what it says now and then; one that sends to this process is known. */
function silentSince({ locked, now }: ManageDeps, { linkExpiresAt, parentId }: FileRow): number {
  const isOurs = linkExpiresAt !== null || parentId !== null;
  return locked && isOurs ? Number.MAX_SAFE_INTEGER : now() - DEAD_AFTER;
}

const nameOf = (by: Member | "admin") => (by === "admin" ? by : by.id);

function refuseStranger(by: Member | "admin", ownerId: string) {
  if (by === "admin" || mayManage(by, ownerId)) return;
  throw new WisError("forbidden", {
    say: "Only the owner of this file and moderators may do that.",
    hint: "Ask its owner, or a moderator.",
  });
}
