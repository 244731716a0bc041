import { breathing } from "../lib/breathe.ts";
import type { BlobIndex, BlobPlace, BlobStores } from "./blob-ports.ts";
import type { FileIndex } from "./ports.ts";

export interface OrphanDeps {
  index: Pick<FileIndex, "findByUpload">;
  contents: Pick<BlobIndex, "find">;
  stores: BlobStores;
}

/**
 * Keys of stored bytes that belong to nothing. Bytes precede their row's readiness for a moment, under the key of
 * their upload, and outlive it for another: what comes and goes meanwhile is none.
 */
export async function* orphansIn(
  { index, contents, stores }: OrphanDeps,
  place: BlobPlace,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const store = stores.at(place);
  for await (const key of breathing(store.keys())) {
    signal.throwIfAborted();
    if (await contents.find(key)) continue;
    if ((await index.findByUpload(key))?.state === "uploading") continue;
    if ((await store.open(key)) && !(await contents.find(key))) yield key;
  }
}
