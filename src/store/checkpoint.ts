import type { Database } from "bun:sqlite";
import type { Log } from "../telemetry/ports.ts";
import { runInThread } from "./thread.ts";

/** Pages in the log, 4 KiB each, from which they are copied into the database file. */
const LARGE = 4_000;
/**
 * From here on, 125 MiB, writers are held up for a moment, so that the log can start anew instead of growing under
 * them. A clean-up of 10,000 files among a million writes less; with a quarter of it, it waited 0.3 s in all.
 */
export const HUGE = 32_000;
/** Statements between two looks at the log. */
const LOOK_EVERY = 64;

const THREAD = `
import { Database } from "bun:sqlite";
self.onmessage = ({ data: { path, huge } }) => {
  const database = new Database(path);
  database.run("PRAGMA busy_timeout = 1000");
  const { log } = database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get();
  if (log > huge) database.run("PRAGMA wal_checkpoint(RESTART)");
  database.close();
  self.postMessage("done");
};
`;

/** Keeps the write-ahead log short. */
export interface Checkpointer {
  /** Says that a statement has run. */
  ran(): void;
  /** Resolves when no checkpoint is going on. */
  idle(): Promise<void>;
}

export interface CheckpointerDeps {
  client: Database;
  log: Log;
  /** What the thread runs; a test has one that dies. */
  thread?: string;
}

/**
 * Copies the log into the database file in a thread that lives for that only. SQLite would do it within some commit,
 * on the event loop: its two syncs held that up for 206 ms during a clean-up of 10,000 files.
 */
export function createCheckpointer({ client, log, thread = THREAD }: CheckpointerDeps): Checkpointer {
  // What SQLite does by itself should the thread not get its way.
  client.run(`PRAGMA wal_autocheckpoint = ${2 * HUGE}`);
  const look = client.prepare<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(NOOP)");
  let ran = 0;
  let going: Promise<void> | undefined;

  /** A look is never worth failing a write that has been committed. */
  function lookAtLog() {
    try {
      return look.get();
    } catch (error) {
      log.warn({ err: error }, "the database's log could not be looked at");
      return null;
    }
  }

  return {
    ran() {
      ran += 1;
      if (ran % LOOK_EVERY !== 0 || going !== undefined) return;
      const found = lookAtLog();
      if (found === null || found.log - found.checkpointed < LARGE) return;
      going = runInThread<void>(thread, { path: client.filename, huge: HUGE })
        .catch((error: unknown) => log.warn({ err: error }, "the database's log could not be shortened"))
        .finally(() => {
          going = undefined;
        });
    },
    idle: async () => await going,
  };
}
