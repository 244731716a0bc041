import { Database } from "bun:sqlite";
import { forgetAddress } from "./address.ts";
import { dataDirFailure, lockPath, makeDataDir, migrationLockPath } from "./data-dir.ts";
import { databaseFailure, isBusy } from "./failure.ts";

/**
 * Takes the data dir for this process: whoever holds it migrates and repairs. Gives undefined when another process has
 * it. The lock is the kernel's, on an empty SQLite file: it ends with the process, however that ends, and no stale
 * file can keep anybody out. Throws WisError data_dir.unwritable, disk.full.
 */
export function lockDataDir(dataDir: string): Disposable | undefined {
  const held = lock(dataDir, lockPath(dataDir));
  if (held) forgetAddress(dataDir);
  return held;
}

/**
 * Takes the moving of blobs for this process: of two that move, one would delete what the other has just copied. Gives
 * undefined when another process is at it. Throws WisError data_dir.unwritable, disk.full.
 */
export function lockMigration(dataDir: string): Disposable | undefined {
  return lock(dataDir, migrationLockPath(dataDir));
}

function lock(dataDir: string, path: string): Disposable | undefined {
  makeDataDir(dataDir);
  const database = openLock(dataDir, path);
  try {
    database.run("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw databaseFailure(error);
  }
  return { [Symbol.dispose]: () => database.close() };
}

function openLock(dataDir: string, path: string): Database {
  try {
    return new Database(path, { create: true });
  } catch (error) {
    throw dataDirFailure(dataDir, error);
  }
}
