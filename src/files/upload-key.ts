import type { FileRow } from "./ports.ts";

/** What an upload's bytes are kept under. Whatever is `uploading` has one. */
export function uploadKeyOf({ uploadKey }: Pick<FileRow, "uploadKey">): string {
  if (uploadKey === null) throw new Error("an upload without a key");
  return uploadKey;
}
