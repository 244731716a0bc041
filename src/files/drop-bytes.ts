import type { BlobStores } from "./blob-ports.ts";

/** Deletes what uploads left that have ended without a file. */
export async function dropBytes(stores: BlobStores, uploadKeys: string[]): Promise<void> {
  for (const key of uploadKeys) await dropUpload(stores, key);
}

/**
 * Deletes what one upload left. In a place where new files used to go, that is what was staged for it: this is looked
 * up on our own disk, so that a store which is away keeps nobody from uploading to another. What a crash left committed
 * there belongs to nothing, and the reconciler finds it.
 */
export async function dropUpload(stores: BlobStores, key: string): Promise<void> {
  await stores.at(stores.place).delete(key);
  for (const place of stores.places) {
    const store = stores.at(place);
    if (place !== stores.place && (await store.unfinished(key))) await store.delete(key);
  }
}
