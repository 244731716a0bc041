import { WisError } from "../errors.ts";
import { abbreviate } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { BlobStore, FileIndex, StoredFile } from "./ports.ts";
import { storedFile } from "./stored.ts";
import { isCapability } from "./ticket.ts";

export interface DownloadDeps {
  index: Pick<FileIndex, "find">;
  blobs: Pick<BlobStore, "open">;
  publicUrl: string;
  now: Now;
}

/** A ready, unexpired file, even when the clean-up has not come by yet. Throws WisError `file.unknown`. */
export async function getFile(
  { index, publicUrl, now }: Omit<DownloadDeps, "blobs">,
  id: string,
): Promise<StoredFile> {
  const file = isCapability(id) ? storedFile(await index.find(id), now(), publicUrl) : undefined;
  if (!file) throw unknownFile();
  return file;
}

/** The bytes: see Files.open. */
export async function openFile(
  deps: DownloadDeps,
  file: StoredFile,
  range?: { start: number; end: number },
): Promise<Blob> {
  const blob = await deps.blobs.open(file.id, range);
  const expected = range ? range.end - range.start + 1 : file.size;
  if (blob?.size === expected) return blob;
  // Removed between `get` and now: that is no damage.
  await getFile(deps, file.id);
  throw new WisError("file.corrupt", {
    say: "The stored file is damaged, so it can't be downloaded.",
    hint: "Ask its owner to upload it again, and tell the admin.",
    cause: new Error(`blob ${abbreviate(file.id)} has ${blob?.size ?? "no"} bytes instead of ${expected}`),
  });
}

export function unknownFile(): WisError {
  return new WisError("file.unknown", {
    say: "There is no such file. It may have expired or been deleted.",
    hint: "Check the link, or ask whoever sent it to upload the file again.",
  });
}
