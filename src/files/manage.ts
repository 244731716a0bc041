import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { Limits } from "../members/limits.ts";
import { type Member, mayManage } from "../members/member.ts";
import type { AuditTrail } from "./audit.ts";
import { getFile, unknownFile } from "./download.ts";
import { endOf } from "./expiry.ts";
import type { BlobStores, FileIndex, FileRow, StoredFile } from "./ports.ts";
import { isCapability } from "./ticket.ts";
import { beingSent } from "./upload-errors.ts";

export interface ManageDeps {
  index: Pick<FileIndex, "find" | "members" | "setExpiry" | "markDeleting" | "retire" | "remove">;
  stores: BlobStores;
  limits: Limits["files"];
  audit: Pick<AuditTrail, "note">;
  publicUrl: string;
  now: Now;
}

/** Gives a file a new life from now: see Files.extend. */
export async function extendFile(
  deps: ManageDeps,
  id: string,
  by: Member | "admin",
  expireAfter?: number,
): Promise<StoredFile> {
  const file = await getFile(deps, id);
  refuseStranger(by, file.ownerId);
  const row = await deps.index.find(id);
  const life = expireAfter ?? deps.limits({ ownerId: file.ownerId, asker: row?.asker ?? null }).expireAfter;
  const expiresAt = endOf(deps.now(), life);
  if (!(await deps.index.setExpiry(id, expiresAt))) throw unknownFile();
  deps.audit.note(file, "extended", nameOf(by));
  return { ...file, expiresAt };
}

/** Takes a file or an open link away for good: see Files.remove. */
export async function removeFile(deps: ManageDeps, id: string, by: Member | "admin"): Promise<FileRow> {
  const { index, stores, audit, now } = deps;
  const row = isCapability(id) ? await index.find(id) : undefined;
  if (!row) throw unknownFile();
  refuseStranger(by, row.ownerId);
  if (!(await index.markDeleting(id))) throw row.state === "uploading" ? beingSent() : unknownFile();
  const ids = [id, ...(await index.members(id)).map(({ row: member }) => member.id)];
  for (const { key, place } of await index.retire(ids)) await stores.at(place).delete(key);
  await index.remove(ids, now());
  if (row.name !== null) audit.note({ ...row, name: row.name }, "deleted", nameOf(by));
  return row;
}

const nameOf = (by: Member | "admin") => (by === "admin" ? by : by.id);

function refuseStranger(by: Member | "admin", ownerId: string) {
  if (by === "admin" || mayManage(by, ownerId)) return;
  throw new WisError("forbidden", {
    say: "Only the owner of this file and moderators may do that.",
    hint: "Ask its owner, or a moderator.",
  });
}
