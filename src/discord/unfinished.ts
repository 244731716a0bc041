import { isWisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { FileRow } from "../files/ports.ts";
import type { Member } from "../members/member.ts";

// What counts towards a member's quota without being a file yet: open links, and uploads that were cut or are under way.

export interface Unfinished {
  /** Links and bundles of one file or many. */
  shares: FileRow[];
  /** The files of bundles on their way. */
  members: FileRow[];
  /** What all of it keeps reserved, files of open bundles that are here already included. */
  bytes: number;
}

export async function unfinishedOf(files: Pick<Files, "list">, ownerId: string): Promise<Unfinished> {
  const states: FileRow["state"][] = ["pending", "uploading"];
  const rows = await Array.fromAsync(files.list({ ownerId, states, members: true }));
  const shares = rows.filter(({ parentId }) => parentId === null);
  const members = rows.filter(({ parentId }) => parentId !== null);
  const bytes = rows.reduce((sum, { size }) => sum + size, 0);
  return { shares, members, bytes: bytes + (await arrivedIn(files, ownerId, shares)) };
}

/** What has arrived of open bundles, bytes. All that an owner has is read only where there is such a bundle. */
async function arrivedIn(files: Pick<Files, "list">, ownerId: string, shares: FileRow[]): Promise<number> {
  const bundles = new Set(shares.flatMap(({ id, expected }) => (expected === null ? [] : id)));
  if (bundles.size === 0) return 0;
  let bytes = 0;
  for await (const { parentId, size } of files.list({ ownerId, states: ["ready"], members: true })) {
    if (parentId !== null && bundles.has(parentId)) bytes += size;
  }
  return bytes;
}

/** Takes all of a member's away, but what is being sent at this moment. Gives whether anything stays for that. */
export async function giveUpUnfinished(
  files: Pick<Files, "list" | "remove">,
  member: Member,
): Promise<{ stays: boolean }> {
  const { shares, members } = await unfinishedOf(files, member.id);
  const sent = new Set<string | null>();
  // A bundle knows nothing of its senders: its files are asked first.
  for (const { id, parentId } of members) if (await isSent(files, id, member)) sent.add(parentId);
  for (const { id } of shares) {
    if (!sent.has(id) && (await isSent(files, id, member))) sent.add(id);
  }
  return { stays: sent.size > 0 };
}

/** Takes it away, unless it is being sent. */
async function isSent(files: Pick<Files, "remove">, id: string, member: Member): Promise<boolean> {
  try {
    await files.remove(id, member);
    return false;
  } catch (error) {
    if (isWisError(error, "ticket.busy")) return true;
    // Done or gone by itself since it was listed.
    if (isWisError(error, "file.unknown")) return false;
    throw error;
  }
}
