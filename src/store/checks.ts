import { randomBytes } from "node:crypto";
import { access, constants, open, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LoadedConfig } from "../config/loaded.ts";
import type { Check, Finding } from "../doctor/ports.ts";
import { isWisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import { checkS3 } from "./blobs/s3-check.ts";
import { blobsPath, databasePath, dataDirFailure, handOver, lockPath, systemCode } from "./data-dir.ts";
import { inspectDatabase } from "./inspect.ts";
import { migrations } from "./open.ts";

type StoreChecksDeps = Pick<LoadedConfig, "config" | "dataDir">;

/**
 * What doctor asks about the data dir, the database and the S3 store. Nothing is made or changed, but for a probe that
 * is removed.
 */
export function storeChecks({ config, dataDir }: StoreChecksDeps): Check[] {
  return [
    {
      code: "data_dir.writable",
      title: "WisBot can write to its data dir",
      offline: true,
      run: () => checkWritable(dataDir),
    },
    {
      code: "data_dir.space",
      title: "There is room for uploads",
      offline: true,
      run: () => checkSpace(dataDir, config.files.min_free_disk),
    },
    {
      code: "database.openable",
      title: "The database can be read and is sound",
      offline: true,
      run: () => checkOpenable(dataDir),
    },
    {
      code: "database.schema",
      title: "The database is of this version",
      offline: true,
      run: () => checkSchema(dataDir),
    },
    {
      code: "s3.reachable",
      title: "The S3 store answers",
      offline: false,
      run: () => checkS3(config.files.s3),
    },
  ];
}

async function checkWritable(dataDir: string): Promise<Finding> {
  const folder = await nearestFolder(dataDir);
  try {
    if (folder === dataDir) await probe(dataDir);
    else await access(folder, constants.W_OK | constants.X_OK);
    // One start as root leaves files that its ordinary user can't write to.
    for (const path of ownFiles(dataDir)) await refuseReadOnly(path);
  } catch (error) {
    const { say, hint } = dataDirFailure(dataDir, error);
    return { severity: "fail", detail: say, fix: hint ?? handOver(dataDir) };
  }
  if (folder !== dataDir) return { severity: "ok", detail: `The first start makes ${dataDir}.` };
  return { severity: "ok", detail: `A file was written to ${dataDir}, synced and removed.` };
}

function ownFiles(dataDir: string): string[] {
  const database = databasePath(dataDir);
  return [database, `${database}-wal`, `${database}-shm`, lockPath(dataDir), blobsPath(dataDir)];
}

async function refuseReadOnly(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

/** The data dir, or else the folder in which the first start makes what is missing of it. */
async function nearestFolder(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) return path;
    return await nearestFolder(dirname(path));
  }
}

/** Only writing shows whether writing works: a full, failing or read-only disk grants permission too. */
async function probe(folder: string): Promise<void> {
  const path = join(folder, `.wisbot-probe-${randomBytes(6).toString("hex")}`);
  const file = await open(path, "wx", 0o600);
  try {
    await file.write("wisbot doctor\n");
    await file.sync();
  } finally {
    await file.close();
    await rm(path);
  }
}

async function checkSpace(dataDir: string, minFree: number): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestFolder(dataDir));
  const free = bavail * bsize;
  if (free > minFree) return { severity: "ok", detail: `${formatBytes(free)} are free.` };
  return {
    severity: "fail",
    detail: `${formatBytes(free)} are free; uploads are refused below ${formatBytes(minFree)}.`,
    fix: `Make room on the disk of ${dataDir}, or lower files.min_free_disk.`,
  };
}

async function checkOpenable(dataDir: string): Promise<Finding> {
  return await finding(async () => {
    const found = await inspectDatabase(databasePath(dataDir), migrations).catch((error: unknown) => {
      // Readable and sound, which is all that is asked here.
      if (isWisError(error, "database.newer")) return { state: "found" } as const;
      throw error;
    });
    if (found.state === "missing") return { severity: "ok", detail: "The first start makes it." };
    return { severity: "ok", detail: `${databasePath(dataDir)} is sound.` };
  });
}

async function checkSchema(dataDir: string): Promise<Finding> {
  return await finding(async () => {
    const found = await inspectDatabase(databasePath(dataDir), migrations).catch((error: unknown) => {
      if (isWisError(error, "database.newer") || !isWisError(error)) throw error;
      return undefined;
    });
    if (found === undefined) return { severity: "skip", detail: "Unknown: see database.openable." };
    if (found.state === "missing") return { severity: "ok", detail: "The first start makes it." };
    if (found.pending === 0) return { severity: "ok", detail: `It has all ${migrations.length} migrations.` };
    return { severity: "ok", detail: `The next start upgrades it by ${found.pending} migrations.` };
  });
}

/** A refusal in words is a finding; anything else is a crash of the check. */
async function finding(look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (!isWisError(error)) throw error;
    if (error.code === "data_dir.unwritable")
      return { severity: "skip", detail: "Known once data_dir.writable is ok." };
    const { say, hint } = error;
    return { severity: "fail", detail: say, ...(hint !== undefined && { fix: hint }) };
  }
}
