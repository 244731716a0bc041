import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { BlobWriter } from "../../files/ports.ts";
import { attempt } from "./disk-failure.ts";

/**
 * How much may wait in memory to reach the disk. Without a bound a large upload piles up gigabytes, and every sync of
 * the database beside it waits for all of them.
 */
const FLUSH_EVERY = 32 * 2 ** 20;

/**
 * A blob on its way to `path`, meanwhile in a file in the folder `incoming`. That file's name is the writer's own: one
 * whose key was given to another writer can touch nothing of the other's. Throws WisError disk.full, disk.failed.
 */
export async function createDiskWriter(path: string, incoming: string): Promise<BlobWriter> {
  let place = join(incoming, `${basename(path)}.${randomBytes(8).toString("hex")}`);
  const file = await attempt("creating", () => open(place, "wx", 0o600));
  const flush = createFlusher(file);
  let size = 0;
  let state: "open" | "broken" | "committed" = "open";
  let closing: Promise<void> | undefined;

  /** Waits for the last flush: the system may give its descriptor to another file. */
  const close = () => {
    closing ??= flush.ended().then(() => file.close());
    return closing;
  };

  async function store() {
    await flush.settle();
    await file.sync();
    const { size: stored } = await file.stat();
    if (state !== "open" || stored !== size) throw new Error(`${stored} of ${size} bytes were stored`);
    await close();
    await rename(place, path);
    place = path;
    await syncFolder(dirname(path));
    state = "committed";
  }

  return {
    async write(chunk) {
      const at = size;
      size += chunk.length;
      try {
        await attempt("writing", () => writeAll(file, chunk, at));
        await attempt("writing", () => flush.wrote(chunk.length));
      } catch (error) {
        state = "broken";
        throw error;
      }
    },
    commit: () => attempt("committing", store),
    async abort() {
      if (state === "committed") return;
      await attempt("aborting", async () => {
        await close();
        await rm(place, { force: true });
      });
    },
  };
}

/** The system may take less than it is given. */
async function writeAll(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, at + done);
    if (bytesWritten === 0) throw new Error("the disk took no more bytes");
    done += bytesWritten;
  }
}

/** Sends what was written to the disk while more arrives, one flush at a time. */
function createFlusher(file: FileHandle) {
  let unflushed = 0;
  // It gives its error instead of failing: nobody may be waiting yet when it does.
  let flushing: Promise<unknown> = Promise.resolve();

  async function settle() {
    const failure = await flushing;
    if (failure !== undefined) throw failure;
  }

  return {
    async wrote(bytes: number) {
      unflushed += bytes;
      if (unflushed < FLUSH_EVERY) return;
      unflushed = 0;
      await settle();
      flushing = file.datasync().catch((error: unknown) => error);
    },
    settle,
    ended: () => flushing,
  };
}

/** A new name in a folder is durable once the folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
