import { dirname } from "node:path";
import { failureOf } from "./failure.ts";
import { runInThread } from "./thread.ts";

// The temporary copy goes beside the database: /tmp may be small, or in memory.
const THREAD = `
import { Database } from "bun:sqlite";
self.onmessage = ({ data: { path, folder } }) => {
  let database;
  try {
    database = new Database(path, { readwrite: true, create: false });
    database.run("PRAGMA busy_timeout = 5000");
    database.run("PRAGMA temp_store_directory = '" + folder.replaceAll("'", "''") + "'");
    database.run("VACUUM");
    // Beside another checkpoint SQLite does not wait, whatever the timeout.
    const empty = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    database.run("PRAGMA busy_timeout = 50");
    let { busy } = empty.get();
    for (let tries = 0; busy && tries < 50; tries += 1) {
      Bun.sleepSync(50);
      ({ busy } = empty.get());
    }
    self.postMessage(busy ? { code: "SQLITE_BUSY", message: "the log could not be emptied" } : {});
  } catch ({ code = "", message }) {
    self.postMessage({ code, message });
  } finally {
    database?.close();
  }
};
`;

/** Writes the database anew. */
export interface Rebuilder {
  /**
   * Resolves when nothing that was deleted before the call is in the database file or its log any more. Throws
   * WisError database.*, disk.full.
   */
  rebuild(): Promise<void>;
  /** Resolves when it is not being written anew. */
  idle(): Promise<void>;
}

/**
 * Deleting frees a row's place and leaves its bytes there. `PRAGMA secure_delete` overwrites them, but neither what an
 * earlier, longer or shorter form of the row left, nor what SQLite leaves where it moves rows to another page: of 450
 * erased rows, thousands of words were still in the file with it on around the deletion, and now and then one with it
 * always on. VACUUM writes what there is into new pages. In a thread, where it takes about 8 s a GB: reads go on
 * meanwhile, writes wait.
 */
export function createRebuilder({ path }: { path: string }): Rebuilder {
  let running = Promise.resolve();
  let next: Promise<void> | undefined;

  async function start() {
    next = undefined;
    running = rebuild(path);
    await running;
  }

  const idle = async () => void (await Promise.allSettled([running]));
  return {
    // One serves all who wait for it; who comes while it runs waits for another.
    rebuild() {
      next ??= idle().then(start);
      return next;
    },
    idle,
  };
}

async function rebuild(path: string): Promise<void> {
  const input = { path, folder: dirname(path) };
  const { code, message } = await runInThread<{ code?: string; message?: string }>(THREAD, input);
  if (code !== undefined) throw failureOf(code, new Error(`writing the database anew: ${message}`));
}
