import { SQLiteError } from "bun:sqlite";
import { causeChain, type ErrorCode, WisError } from "../errors.ts";

/** The SQLite error at the root of what was thrown; drizzle wraps some of them. */
function sqliteErrorIn(error: unknown): SQLiteError | undefined {
  return causeChain(error).find((cause) => cause instanceof SQLiteError);
}

/** True when another process was writing: nothing has happened, and trying again is safe. */
export function isBusy(error: unknown): boolean {
  return sqliteErrorIn(error)?.code?.startsWith("SQLITE_BUSY") ?? false;
}

/**
 * What a failing database is to the rest of wisbot: WisError database.*, disk.full or data_dir.unwritable. Whatever
 * did not come from SQLite is a defect, or already in words, and stays what it is.
 */
export function databaseFailure(error: unknown): unknown {
  const cause = sqliteErrorIn(error);
  if (error instanceof WisError || cause === undefined) return error;
  return failureOf(cause.code ?? "", error);
}

/** The same of what came from SQLite with this code, such as SQLITE_FULL. */
export function failureOf(sqliteCode: string, cause: unknown): WisError {
  const { code, say, hint } = describe(sqliteCode);
  return new WisError(code, { say, hint, cause });
}

function describe(sqliteCode: string): { code: ErrorCode; say: string; hint: string } {
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(sqliteCode)) return corrupt;
  if (/^SQLITE_(?:READONLY|CANTOPEN|PERM|AUTH)/.test(sqliteCode)) {
    return {
      code: "data_dir.unwritable",
      say: "WisBot may not write to its database.",
      hint: "Run wisbot doctor --only data_dir.writable: it says whose folder that has to be.",
    };
  }
  if (sqliteCode === "SQLITE_FULL" || sqliteCode === "SQLITE_IOERR_SHMSIZE") {
    return {
      code: "disk.full",
      say: "The disk that holds WisBot's database is full.",
      hint: "Make room on it; WisBot goes on by itself.",
    };
  }
  if (sqliteCode.startsWith("SQLITE_BUSY")) {
    return {
      code: "database.failed",
      say: "Another program keeps WisBot's database busy.",
      hint: "End whatever has wisbot.db open besides WisBot (fuser wisbot.db names it), then try again.",
    };
  }
  return {
    code: "database.failed",
    say: "WisBot's database failed.",
    hint: "Try again; if it keeps failing, look at the disk and run wisbot doctor.",
  };
}

const corrupt = {
  code: "database.corrupt",
  say: "WisBot's database is damaged, or is not a WisBot database at all.",
  hint: "Restore wisbot.db from a backup (remove wisbot.db-wal and wisbot.db-shm then), or move all three away to start empty.",
} as const;

/** A file that SQLite or wisbot can't make sense of; it is left as it is. */
export function corruptDatabase(cause: unknown): WisError {
  const { code, ...text } = corrupt;
  return new WisError(code, { ...text, cause });
}
