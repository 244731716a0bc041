import { Database } from "bun:sqlite";
import { dataDirFailure, lockPath, makeDataDir } from "./data-dir.ts";
import { databaseFailure, isBusy } from "./failure.ts";

/**
 * Takes the data dir for this process: whoever holds it migrates and repairs. Gives undefined when another process has
 * it. The lock is the kernel's, on an empty SQLite file: it ends with the process, however that ends, and no stale
 * file can keep anybody out. Throws WisError data_dir.unwritable, disk.full.
 */
export function lockDataDir(dataDir: string): Disposable | undefined {
  makeDataDir(dataDir);
  const database = openLock(dataDir);
  try {
    database.run("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw databaseFailure(error);
  }
  return { [Symbol.dispose]: () => database.close() };
}

function openLock(dataDir: string): Database {
  try {
    return new Database(lockPath(dataDir), { create: true });
  } catch (error) {
    throw dataDirFailure(dataDir, error);
  }
}
