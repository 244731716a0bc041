import type { Database, Statement } from "bun:sqlite";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { WisError } from "../errors.ts";
import type { Log } from "../telemetry/ports.ts";
import { createCheckpointer, HUGE } from "./checkpoint.ts";
import { databaseFailure, isBusy } from "./failure.ts";
import { createRebuilder } from "./rebuild.ts";

/** How long a write waits for another process's, or for a checkpoint, milliseconds. */
const BUSY_DEADLINE = 5_000;
/** SQLite's default. */
const PAGE_BYTES = 4_096;

/** The open database as the repositories use it. */
export interface Connection {
  readonly db: BunSQLiteDatabase;
  /**
   * Runs statements or one transaction, again while another process is writing. What it wrote survives the end of
   * this process, not yet a power cut. Throws WisError database.*, disk.full.
   */
  run<T>(work: () => T): Promise<T>;
  /** The same, and what it wrote survives a power cut when this resolves. Throws also WisError disk.failed. */
  keep<T>(work: () => T): Promise<T>;
  /**
   * Resolves when nothing that was deleted before the call is in the database's files any more. Reads go on meanwhile,
   * writes wait. Throws WisError database.*, disk.full.
   */
  rebuild(): Promise<void>;
  /** Resolves when nothing of it goes on; the client is closed by whoever opened it. */
  close(): Promise<void>;
}

/**
 * Gives a function that closes `client` for good. SQLite closes a file, and tidies up its log, only when every
 * statement is finalized, and drizzle keeps its own to itself.
 */
export function trackStatements(client: Database): () => void {
  const statements: Statement[] = [];
  client.prepare = new Proxy(client.prepare, {
    apply(prepare, self, input) {
      const statement = Reflect.apply(prepare, self, input);
      statements.push(statement);
      return statement;
    },
  });
  return () => {
    for (const statement of statements.splice(0)) statement.finalize();
    client.close(true);
  };
}

/** Sets what SQLite does not remember in the file. */
export function setPragmas(client: Database) {
  // While opening, another process that closes the database, or mends it after a crash, has it for a moment.
  client.run("PRAGMA busy_timeout = 5000");
  const journal = client.prepare<{ journal_mode: string }, []>("PRAGMA journal_mode = WAL").get();
  if (journal?.journal_mode !== "wal") {
    throw new WisError("database.failed", {
      say: "The disk under the data dir can't hold WisBot's database.",
      hint: "Choose a data dir on a local disk: network folders lack the shared memory that SQLite needs.",
    });
  }
  // FULL would sync on every commit, on the event loop: measured 288 ms while a 2 GiB upload was being written, and
  // that upload took ten times as long. `keep` syncs where something is promised, in a thread.
  client.run("PRAGMA synchronous = NORMAL");
  client.run("PRAGMA foreign_keys = ON");
  client.run("PRAGMA trusted_schema = OFF");
  // Shrinking the file again takes tens of milliseconds: only what is out of the ordinary is given back.
  client.run(`PRAGMA journal_size_limit = ${HUGE * PAGE_BYTES}`);
}

export interface ConnectDeps {
  /** Its pragmas are set. */
  client: Database;
  log: Log;
}

/** The database as the repositories share it. */
export async function connect({ client, log }: ConnectDeps): Promise<Connection> {
  const checkpointer = createCheckpointer({ client, log });
  const rebuilder = createRebuilder({ path: client.filename });
  const wal = await openWal(client);
  // From here on SQLite would wait on the event loop, which several writes in a row held up for 50 ms: `run` waits
  // beside it.
  client.run("PRAGMA busy_timeout = 0");

  async function run<T>(work: () => T): Promise<T> {
    const result = await onceFree(work);
    checkpointer.ran();
    return result;
  }

  async function onceFree<T>(work: () => T): Promise<T> {
    for (let pause = 1, waited = 0; ; pause = Math.min(pause * 2, 50)) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || waited > BUSY_DEADLINE) throw databaseFailure(error);
      }
      // Writing the database anew takes as long as it is large, and ends: no reason to give up.
      await rebuilder.idle();
      await sleep(pause);
      waited += pause;
    }
  }

  return {
    db: drizzle({ client }),
    run,
    async keep(work) {
      const result = await run(work);
      await wal.sync();
      return result;
    },
    rebuild: rebuilder.rebuild,
    async close() {
      await checkpointer.idle();
      await rebuilder.idle();
      await wal.close();
    },
  };
}

/**
 * SQLite's write-ahead log, to be synced from outside: what a commit wrote into it is durable once it is. SQLite
 * takes its locks on the other two files, so that closing this handle gives up none
 * (https://sqlite.org/wal.html#implementation_of_shared_memory_for_the_wal_index).
 */
async function openWal(client: Database) {
  // The log exists from the first read on.
  client.prepare("SELECT 1 FROM sqlite_schema").all();
  const handle = await open(`${client.filename}-wal`, "r+");
  const folder = await open(dirname(client.filename));
  await folder.sync();
  await folder.close();

  let running = Promise.resolve();
  let next: Promise<void> | undefined;

  async function start() {
    next = undefined;
    running = handle.datasync().catch((cause: unknown) => {
      throw new WisError("disk.failed", {
        say: "The disk could not store WisBot's database.",
        hint: "Look at the disk (dmesg names what failed), then restart WisBot.",
        cause,
      });
    });
    await running;
  }

  return {
    /**
     * One sync serves all who wait for it. A failed one fails all that follow: after it the system may claim that
     * lost pages are stored (https://lwn.net/Articles/752063/), and only a fresh start reads what really is.
     */
    sync(): Promise<void> {
      next ??= running.then(start);
      return next;
    },
    async close() {
      await Promise.allSettled([next ?? running]);
      await handle.close();
    },
  };
}
