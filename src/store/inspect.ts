import { constants, Database } from "bun:sqlite";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { MigrationMeta } from "drizzle-orm/migrator";
import { WisError } from "../errors.ts";
import { dataDirFailure, systemCode } from "./data-dir.ts";
import { corruptDatabase, databaseFailure } from "./failure.ts";

/** Up to this size, some ten thousand files, every page is checked before the database is used: about 15 ms. */
const FULL_CHECK_BYTES = 4 * 2 ** 20;

/** How the database file stands. `pending`: how many migrations it lacks. */
export type DatabaseState = { state: "missing" } | { state: "found"; pending: number };

/**
 * Looks at a database without changing it. Throws WisError database.corrupt when it is not one of wisbot's or is
 * damaged, database.newer when a later wisbot has migrated it, database.failed, data_dir.unwritable when it can't be
 * read.
 */
export async function inspectDatabase(path: string, migrations: MigrationMeta[]): Promise<DatabaseState> {
  const [size, logSize] = [await sizeOf(path), await sizeOf(`${path}-wal`)];
  if (size === undefined || (size === 0 && !logSize)) return { state: "missing" };
  const client = openReadOnly(path, logSize !== undefined);
  try {
    client.run("PRAGMA busy_timeout = 1000");
    refuseDamaged(client, size);
    return { state: "found", pending: pendingMigrations(client, migrations) };
  } catch (error) {
    throw databaseFailure(error);
  } finally {
    client.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw dataDirFailure(dirname(path), error);
  }
}

/** Without a log nobody has the database open: then `immutable` keeps SQLite from leaving one beside it. */
function openReadOnly(path: string, hasLog: boolean): Database {
  try {
    if (hasLog) return new Database(path, { readonly: true });
    const url = `${pathToFileURL(path).href}?immutable=1`;
    return new Database(url, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
  } catch (error) {
    throw databaseFailure(error);
  }
}

function refuseDamaged(client: Database, size: number) {
  const check = size <= FULL_CHECK_BYTES ? "quick_check(1)" : "schema_version";
  // A damaged page anywhere else is met, and said, when it is read.
  const [answer] = client.query<Record<string, unknown>, []>(`PRAGMA ${check}`).all();
  const verdict = answer?.quick_check ?? "ok";
  if (verdict !== "ok") throw corruptDatabase(new Error(String(verdict)));
}

function pendingMigrations(client: Database, migrations: MigrationMeta[]): number {
  const tables = client
    .query<{ name: string }, []>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all()
    .map(({ name }) => name);
  if (tables.length === 0) return migrations.length;
  if (!tables.includes(JOURNAL))
    throw corruptDatabase(new Error(`tables of another program: ${tables.join(", ")}`));
  const applied = client
    .query<{ at: number }, []>(`SELECT CAST(created_at AS INTEGER) AS at FROM ${JOURNAL}`)
    .all();
  const known = new Set(migrations.map(({ folderMillis }) => folderMillis));
  if (applied.some(({ at }) => !known.has(at))) throw newerDatabase();
  return migrations.length - applied.length;
}

/** Where drizzle notes the migrations that a database has had. */
const JOURNAL = "__drizzle_migrations";

function newerDatabase(): WisError {
  return new WisError("database.newer", {
    say: "The database was made by a newer WisBot than this one.",
    hint: "Run the newer WisBot again, or restore the backup of wisbot.db that you made before upgrading.",
  });
}
