import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../telemetry/ports.ts";
import { openStore, type Store } from "./open.ts";

export interface TestStore extends AsyncDisposable {
  store: Store;
  dataDir: string;
}

/** For tests that are not about what is logged. */
export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** An empty folder of its own, removed on dispose. */
export async function testFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "wisbot-store-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A real database in a folder of its own. */
export async function openTestStore(): Promise<TestStore> {
  const folder = await testFolder();
  const store = await openStore({ dataDir: folder.path, log: quiet });
  return {
    store,
    dataDir: folder.path,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
