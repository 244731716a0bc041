import { type FileHandle, open, rm } from "node:fs/promises";
import type { BlobWriter } from "../../files/blob-ports.ts";
import { attempt } from "./disk-failure.ts";
import type { Deliver } from "./disk-incoming.ts";

/**
 * How much may wait in memory to reach the disk. Without a bound a large upload piles up gigabytes, and every sync of
 * the database beside it waits for all of them.
 */
const FLUSH_EVERY = 32 * 2 ** 20;

export interface DiskWriter extends BlobWriter {
  /** Resolves once its file is closed. */
  released: Promise<void>;
}

interface DiskWriterOptions {
  file: FileHandle;
  /** Where `file` lies, in the folder of unfinished blobs. */
  place: string;
  /** Bytes that are there already. */
  size: number;
  deliver: Deliver;
}

/** A blob on its way, in an open file that is this writer's own. Throws WisError disk.full, disk.failed. */
export function createDiskWriter({ file, place, size: found, deliver }: DiskWriterOptions): DiskWriter {
  const flush = createFlusher(file);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let size = found;
  // Once a write has failed nothing may follow it, or there would be a hole. What a closed file has is synced with the rest of it.
  let state: "open" | "broken" | "closed" | "whole" | "committed" | "aborted" = "open";
  let writing: Promise<unknown> = Promise.resolve();
  let committing: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  /** Waits for what is going on: the system may give its descriptor to another file. */
  function free(): Promise<void> {
    closing ??= Promise.allSettled([writing, flush.ended()])
      .then(() => file.close())
      .finally(release);
    return closing;
  }

  async function store(chunk: Uint8Array) {
    if (state !== "open") throw new Error(`the writer is ${state}`);
    const at = size;
    size += chunk.length;
    try {
      await writeAll(file, chunk, at);
      await flush.wrote(chunk.length);
    } catch (error) {
      state = "broken";
      throw error;
    }
  }

  async function complete() {
    await flush.settle();
    await file.sync();
    const { size: stored } = await file.stat();
    if (state !== "open" || stored !== size) throw new Error(`${stored} of ${size} bytes were stored`);
    await free();
    state = "whole";
  }

  async function finish() {
    if (state === "open") await complete();
    if (state !== "whole") throw new Error(`the writer is ${state}`);
    await deliver(place, size);
    state = "committed";
  }

  // Not synced: a power cut may take the end of an unfinished file along, and its sender goes on from what is there.
  async function settle() {
    try {
      await Promise.allSettled([writing]);
      await flush.settle();
    } finally {
      await free();
    }
  }

  return {
    released,
    async write(chunk) {
      const stored = attempt("writing", () => store(chunk));
      writing = stored;
      await stored;
    },
    async commit() {
      const finished = attempt("committing", finish);
      committing = finished;
      await finished;
    },
    async close() {
      if (state === "closed" || state === "committed" || state === "aborted") return;
      const left = state;
      state = "closed";
      if (left !== "whole") await attempt("closing", settle);
    },
    async abort() {
      // A delivery that went on behind an abort could replace what the key's next writer commits.
      await Promise.allSettled([committing]);
      if (state === "committed") return;
      state = "aborted";
      await attempt("aborting", async () => {
        await free();
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
