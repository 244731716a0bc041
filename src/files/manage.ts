import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { FileLimits } from "../members/limits.ts";
import { type Member, mayManage } from "../members/member.ts";
import { getFile, unknownFile } from "./download.ts";
import { endOf } from "./expiry.ts";
import type { BlobStore, FileIndex, FileRow, StoredFile } from "./ports.ts";
import { isCapability } from "./ticket.ts";

export interface ManageDeps {
  index: Pick<FileIndex, "find" | "setExpiry" | "markDeleting" | "remove">;
  blobs: Pick<BlobStore, "delete">;
  limits: FileLimits;
  publicUrl: string;
  now: Now;
}

/** Gives a file a new life from now: see Files.extend. */
export async function extendFile(
  deps: ManageDeps,
  id: string,
  by: Member | "admin",
  expireAfter = deps.limits.expireAfter,
): Promise<StoredFile> {
  const file = await getFile(deps, id);
  refuseStranger(by, file.ownerId);
  const expiresAt = endOf(deps.now(), expireAfter);
  if (!(await deps.index.setExpiry(id, expiresAt))) throw unknownFile();
  return { ...file, expiresAt };
}

/** Takes a file or an open link away for good: see Files.remove. */
export async function removeFile(deps: ManageDeps, id: string, by: Member | "admin"): Promise<FileRow> {
  const { index, blobs, now } = deps;
  const row = isCapability(id) ? await index.find(id) : undefined;
  if (!row) throw unknownFile();
  refuseStranger(by, row.ownerId);
  if (!(await index.markDeleting(id))) throw row.state === "uploading" ? beingSent() : unknownFile();
  await blobs.delete(id);
  await index.remove([id], now());
  return row;
}

function refuseStranger(by: Member | "admin", ownerId: string) {
  if (by === "admin" || mayManage(by, ownerId)) return;
  throw new WisError("forbidden", {
    say: "Only the owner of this file and moderators may do that.",
    hint: "Ask its owner, or a moderator.",
  });
}

function beingSent(): WisError {
  return new WisError("ticket.busy", {
    say: "This file is being sent right now.",
    hint: "Wait until the upload has ended, then try again.",
  });
}
