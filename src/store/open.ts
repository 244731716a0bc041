import { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { access, constants, open, stat } from "node:fs/promises";
import { SQLiteBunSession } from "drizzle-orm/bun-sqlite/session";
import type { MigrationMeta } from "drizzle-orm/migrator";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import type { AnnouncementLog } from "../announce/ports.ts";
import { WisError } from "../errors.ts";
import type { BlobIndex } from "../files/blob-ports.ts";
import type { AuditLog, DownloadLog, FileIndex, MemberChoices, TokenIndex } from "../files/ports.ts";
import type { AttemptLog, LlmChoices, TurnLog, UsageLog } from "../llm/ports.ts";
import type { Log } from "../telemetry/ports.ts";
import { type AdminKeyLog, createAdminKeys } from "./admin-keys.ts";
import { createAnnouncementLog } from "./announcements.ts";
import { createAttemptLog } from "./attempts.ts";
import { createAuditLog } from "./audit.ts";
import { createBlobIndex } from "./blob-index.ts";
import { type Connection, connect, setPragmas, trackStatements } from "./connection.ts";
import { databasePath, dataDirFailure, makeDataDir } from "./data-dir.ts";
import { createDownloadLog } from "./downloads.ts";
import { corruptDatabase, databaseFailure } from "./failure.ts";
import { createFileIndex } from "./files.ts";
import { inspectDatabase } from "./inspect.ts";
import { createKeyRing, type KeyRing } from "./keys.ts";
import { createLlmChoices } from "./llm-choices.ts";
import { createMemberChoices } from "./member-choices.ts";
import { embeddedMigrations } from "./migrations.ts" with { type: "macro" };
import { rememberRows } from "./row-memory.ts";
import { files } from "./schema.ts";
import { createTokenIndex } from "./tokens.ts";
import { createTurnLog } from "./turns.ts";
import { createUsageLog } from "./usage.ts";

/** The migrations that this wisbot knows, oldest first. */
export const migrations: MigrationMeta[] = embeddedMigrations();

export interface OpenStoreOptions {
  dataDir: string;
  log: Log;
  /**
   * Whether a missing or older database is brought up to date. Only the holder of the data dir's lock may; a command
   * beside it says false and is refused until the holder has done so. Default true.
   */
  migrate?: boolean;
}

/** Everything that wisbot remembers. */
export interface Store extends AsyncDisposable {
  readonly files: FileIndex;
  readonly blobs: BlobIndex;
  readonly downloads: DownloadLog;
  readonly audit: AuditLog;
  readonly tokens: TokenIndex;
  readonly choices: MemberChoices;
  readonly keys: KeyRing;
  readonly announcements: AnnouncementLog;
  readonly turns: TurnLog;
  readonly attempts: AttemptLog;
  readonly usage: UsageLog;
  readonly llmChoices: LlmChoices;
  readonly adminKeys: AdminKeyLog;
  /** Resolves when the database answers. Throws WisError database.*, disk.*. */
  ping(): Promise<void>;
}

/**
 * Opens the database in `dataDir`. Throws WisError database.newer and database.corrupt with nothing touched,
 * data_dir.unwritable, data_dir.locked (`migrate: false` and the database is not up to date), disk.full,
 * database.failed.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  await using opening = new AsyncDisposableStack();
  try {
    const client = await openCurrent(options, opening);
    const connection = await connect({ client, log: options.log });
    opening.defer(() => connection.close());
    const repositories = {
      files: rememberRows({ client, run: connection.run, index: createFileIndex(connection) }),
      blobs: createBlobIndex(connection),
      downloads: createDownloadLog(connection),
      audit: createAuditLog(connection),
      tokens: createTokenIndex(connection),
      choices: createMemberChoices(connection),
      keys: createKeyRing(connection),
      announcements: createAnnouncementLog(connection),
      turns: createTurnLog(connection),
      attempts: createAttemptLog(connection),
      usage: createUsageLog(connection),
      llmChoices: createLlmChoices(connection),
      adminKeys: createAdminKeys(connection),
      ping: createPing(connection, databasePath(options.dataDir)),
    };
    const opened = opening.move();
    return { ...repositories, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  } catch (error) {
    throw databaseFailure(error);
  }
}

/** The database with the schema of this version; `opening` closes it. */
async function openCurrent(
  { dataDir, log, migrate = true }: OpenStoreOptions,
  opening: AsyncDisposableStack,
): Promise<Database> {
  const path = databasePath(dataDir);
  if (migrate) makeDataDir(dataDir);
  const found = await inspectDatabase(path, migrations);
  const pending = found.state === "found" ? found.pending : migrations.length;
  if (pending > 0 && !migrate) throw heldByAnother(found.state);

  const client = await openDatabase(dataDir, path, found.state === "missing");
  opening.defer(trackStatements(client));
  setPragmas(client);
  if (pending > 0) upgrade(client, migrations);
  if (pending > 0 && found.state === "found") log.info({ migrations: pending }, "database upgraded");
  return client;
}

/** Opens the file for writing; a new one is its owner's alone, for it holds people's ids. */
async function openDatabase(dataDir: string, path: string, isNew: boolean): Promise<Database> {
  try {
    await access(dataDir, constants.W_OK | constants.X_OK);
    // A database in use is not opened here: closing any handle of a file gives up the process's locks on it.
    if (isNew) await (await open(path, "a", 0o600)).close();
    else await access(path, constants.W_OK);
  } catch (error) {
    throw dataDirFailure(dataDir, error);
  }
  return new Database(path, { create: true, strict: true });
}

/** Applies what is missing, all of it or nothing. */
export function upgrade(client: Database, migrations: MigrationMeta[]): void {
  // Inside drizzle's transaction the pragma does nothing, and rebuilding a table would then delete its children.
  client.run("PRAGMA foreign_keys = OFF");
  const dialect = new SQLiteSyncDialect();
  dialect.migrate(migrations, new SQLiteBunSession(client, dialect, undefined));
  client.run("PRAGMA foreign_keys = ON");
  const orphans = client.prepare("PRAGMA foreign_key_check").all();
  if (orphans.length > 0) throw corruptDatabase(new Error(`rows without parent: ${JSON.stringify(orphans)}`));
}

function heldByAnother(state: "missing" | "found"): WisError {
  return new WisError("data_dir.locked", {
    say:
      state === "missing"
        ? "Another WisBot has this data dir and has not set it up yet."
        : "The WisBot that is running on this data dir is older than this command, and so is its database.",
    hint:
      state === "missing"
        ? "Try again in a moment."
        : "Restart the running WisBot with this version: it upgrades the database at its start.",
  });
}

/** A database that was moved away goes on working unseen, and everything in it would be lost: ping looks at its name. */
function createPing({ db, run }: Connection, path: string): Store["ping"] {
  const probe = db.select({ id: files.id }).from(files).limit(1).prepare();
  const { ino: opened } = statSync(path);
  return async () => {
    await run(() => probe.get());
    const { ino } = await stat(path).catch((cause: unknown) => {
      throw replaced(cause);
    });
    if (ino !== opened) throw replaced(undefined);
  };
}

function replaced(cause: unknown): WisError {
  return new WisError("database.failed", {
    say: "WisBot's database was moved or replaced while WisBot was running.",
    hint: "Put wisbot.db back, or restart WisBot to work with what is there now.",
    cause,
  });
}
