import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { addressPath, dataDirFailure, systemCode } from "./data-dir.ts";

// Where the wisbot that has the data dir's lock is reached: `serve` may have been told another port than the
// configuration's, and the links that other commands print have to name that.

/** Says so, until it is disposed. Throws WisError data_dir.unwritable, disk.full. */
export function noteAddress(dataDir: string, publicUrl: string): Disposable {
  const path = addressPath(dataDir);
  try {
    // In one step, so that nobody reads half of it.
    writeFileSync(`${path}.new`, publicUrl, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw dataDirFailure(dataDir, error);
  }
  return { [Symbol.dispose]: () => forgetAddress(dataDir) };
}

/** Of who had the lock before: a process that was killed leaves its note behind. Throws WisError data_dir.unwritable. */
export function forgetAddress(dataDir: string): void {
  try {
    rmSync(addressPath(dataDir), { force: true });
  } catch (error) {
    throw dataDirFailure(dataDir, error);
  }
}

/** What was noted last; undefined: nothing, or nothing that this user may read. Only for who finds the lock taken. */
export function notedAddress(dataDir: string): string | undefined {
  try {
    return readFileSync(addressPath(dataDir), "utf8");
  } catch (error) {
    if (["ENOENT", "EACCES"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
