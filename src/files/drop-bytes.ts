import type { BlobStores } from "./ports.ts";

/** Deletes what uploads left that have ended without a file. */
export async function dropBytes(stores: BlobStores, uploadKeys: string[]): Promise<void> {
  for (const key of uploadKeys) await stores.at(stores.place).delete(key);
}
