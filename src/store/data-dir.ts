import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { WisError } from "../errors.ts";

// What lies in the data dir.
export const databasePath = (dataDir: string) => join(dataDir, "wisbot.db");
export const lockPath = (dataDir: string) => join(dataDir, "wisbot.lock");
/** Where the wisbot that holds the lock is reached: see address.ts. */
export const addressPath = (dataDir: string) => join(dataDir, "wisbot.address");
/** Beside it, so that serve can go on while blobs are moved. */
export const migrationLockPath = (dataDir: string) => join(dataDir, "wisbot.migration.lock");
/** The folder of the disk blob store. */
export const blobsPath = (dataDir: string) => join(dataDir, "files");

/** Makes the data dir, for the owner alone, if it is not there. Throws WisError data_dir.unwritable, disk.full. */
export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw dataDirFailure(dataDir, error);
  }
}

/** What a failed attempt to write in the data dir means. */
export function dataDirFailure(dataDir: string, cause: unknown): WisError {
  const code = systemCode(cause);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new WisError("disk.full", {
      say: `The disk that holds ${dataDir} is full.`,
      hint: "Make room on it, or choose another data dir with --data-dir.",
      cause,
    });
  }
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new WisError("data_dir.unwritable", {
      say: `The data dir ${dataDir} is not a folder.`,
      hint: "Choose another data dir with --data-dir, or move away the file that is in its place.",
      cause,
    });
  }
  if (code === "EROFS") {
    return new WisError("data_dir.unwritable", {
      say: `The data dir ${dataDir} is on a disk that can only be read.`,
      hint: "Choose another data dir with --data-dir, or mount that disk for writing.",
      cause,
    });
  }
  return new WisError("data_dir.unwritable", {
    say: `WisBot may not write to its data dir ${dataDir}.`,
    hint: `${handOver(dataDir)}, or choose another data dir with --data-dir.`,
    cause,
  });
}

/** The commands that give the folder to the user who runs this. */
export function handOver(folder: string): string {
  const user = process.getuid?.();
  const quoted = `'${folder.replaceAll("'", "'\\''")}'`;
  if (user === undefined) return `Allow this user to write to ${folder}`;
  return `Run sudo mkdir -p ${quoted} && sudo chown -R ${user}:${process.getgid?.()} ${quoted}`;
}

/** The system's name for what failed, such as ENOSPC. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
