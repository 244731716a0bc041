import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { BlobWriter } from "../../files/blob-ports.ts";
import { breathing } from "../../lib/breathe.ts";
import { systemCode } from "../data-dir.ts";
import { attempt } from "./disk-failure.ts";
import { createDiskWriter, type DiskWriter } from "./disk-writer.ts";

const UNFINISHED = /^([A-Za-z0-9_-]{22,64})\.[0-9a-f]{16}$/;

/** Puts a whole, synced file where its readers find it, and takes it out of the folder. */
export type Deliver = (place: string, size: number) => Promise<void>;

/** Unfinished blobs, each in a file of its own. Everything throws WisError disk.full, disk.failed. */
export interface Incoming {
  create(key: string, deliver: Deliver): Promise<BlobWriter>;
  /** Goes on with the newest unfinished write of the key. A writer that still has it open is closed first. */
  resume(key: string, deliver: Deliver): Promise<{ writer: BlobWriter; size: number } | undefined>;
  unfinished(key: string): Promise<Blob | undefined>;
  /** Removes every unfinished write of the key. */
  remove(key: string): Promise<void>;
  /** Removes those whose key is not in use; gives how many. */
  sweep(inUse: (key: string) => boolean | Promise<boolean>): Promise<number>;
  /** Bytes of room on the folder's disk. */
  free(): Promise<number>;
}

/**
 * The folder of unfinished blobs, which is there. A file's name is its key and its writer's own mark: one whose key was
 * given to another writer, or whose file another goes on with, can touch nothing of the other's.
 */
export function createIncoming(folder: string): Incoming {
  const writers = new Map<string, DiskWriter>();
  const newPlace = (key: string) => join(folder, `${key}.${randomBytes(8).toString("hex")}`);

  async function all(): Promise<{ key: string; place: string }[]> {
    const names = await readdir(folder);
    return names.flatMap((name) => {
      const key = UNFINISHED.exec(name)?.[1];
      return key === undefined ? [] : [{ key, place: join(folder, name) }];
    });
  }

  const of = async (wanted: string) => (await all()).filter(({ key }) => key === wanted);

  async function newest(key: string): Promise<string | undefined> {
    const places = (await of(key)).map(({ place }) => place);
    if (places.length < 2) return places[0];
    const dated = await Promise.all(
      places.map(async (place) => ({ place, at: (await stat(place)).mtimeMs })),
    );
    return dated.toSorted((one, other) => other.at - one.at)[0]?.place;
  }

  function kept(place: string, writer: DiskWriter): DiskWriter {
    writers.set(place, writer);
    void writer.released.then(() => writers.delete(place));
    return writer;
  }

  return {
    async create(key, deliver) {
      const place = newPlace(key);
      const file = await attempt("creating", () => open(place, "wx", 0o600));
      return kept(place, createDiskWriter({ file, place, size: 0, deliver }));
    },
    async resume(key, deliver) {
      return await attempt("resuming", async () => {
        const left = await newest(key);
        if (left === undefined) return undefined;
        await writers.get(left)?.close();
        const place = newPlace(key);
        await rename(left, place);
        const file = await open(place, "r+");
        const { size } = await file.stat();
        return { writer: kept(place, createDiskWriter({ file, place, size, deliver })), size };
      });
    },
    async unfinished(key) {
      return await attempt("opening an unfinished", async () => {
        const place = await newest(key);
        if (place === undefined) return undefined;
        try {
          // Measured now: asked later, a file that was moved meanwhile would seem to be empty.
          const { size } = await stat(place);
          return Bun.file(place).slice(0, size);
        } catch (error) {
          if (systemCode(error) === "ENOENT") return undefined;
          throw error;
        }
      });
    },
    async remove(key) {
      for (const { place } of await attempt("deleting", () => of(key))) {
        await attempt("deleting", () => rm(place, { force: true }));
      }
    },
    async sweep(inUse) {
      return await attempt("sweeping", async () => {
        let removed = 0;
        for await (const { key, place } of breathing(await all())) {
          if (await inUse(key)) continue;
          await rm(place, { force: true });
          removed += 1;
        }
        return removed;
      });
    },
    async free() {
      const { bavail, bsize } = await attempt("measuring the free space", () => statfs(folder));
      return bavail * bsize;
    },
  };
}
