import { mkdir, readdir, rm, stat, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BlobStore } from "../../files/ports.ts";
import { systemCode } from "../data-dir.ts";
import { attempt, diskFailure } from "./disk-failure.ts";
import { createDiskWriter, syncFolder } from "./disk-writer.ts";

/** Tickets and file ids: nothing in this alphabet means anything to a file system. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const KEY = /^[A-Za-z0-9_-]{22,64}$/;
const UNFINISHED = /^([A-Za-z0-9_-]{22,64})\.[0-9a-f]{16}$/;

/**
 * Blobs as files under `dir`, which is made if need be: a blob lies in the folder of its key's first letter, an
 * unfinished one in `incoming` on the same disk, so that its name is put in place by one rename. Throws WisError
 * disk.full, disk.failed.
 */
export async function openDiskBlobs({ dir }: { dir: string }): Promise<BlobStore> {
  const root = resolve(dir);
  const incoming = join(root, "incoming");
  await attempt("preparing the folders", () => makeFolders(root, incoming));

  /** The only way from a key to a path: what could leave the folder is no key. */
  function pathOf(key: string): string {
    if (!KEY.test(key)) throw new Error("not the key of a blob");
    return join(root, key.slice(0, 1), key);
  }

  async function unfinished(): Promise<{ key: string; path: string }[]> {
    const names = await readdir(incoming);
    return names.flatMap((name) => {
      const key = UNFINISHED.exec(name)?.[1];
      return key === undefined ? [] : [{ key, path: join(incoming, name) }];
    });
  }

  return {
    create: async (key) => await createDiskWriter(pathOf(key), incoming),
    async open(key, range) {
      const path = pathOf(key);
      if (!(await isThere(path))) return undefined;
      const blob = Bun.file(path);
      return range ? blob.slice(range.start, range.end + 1) : blob;
    },
    async delete(key) {
      const path = pathOf(key);
      await attempt("deleting", async () => {
        await rm(path, { force: true });
        for (const part of await unfinished()) {
          if (part.key === key) await rm(part.path, { force: true });
        }
      });
    },
    async *keys() {
      // Read, not spelled out: where a disk ignores case, two letters share a folder.
      for (const folder of await attempt("listing", () => readdir(root))) {
        if (folder.length !== 1 || !ALPHABET.includes(folder)) continue;
        const names = await attempt("listing", () => readdir(join(root, folder)));
        yield* names.filter((name) => KEY.test(name));
      }
    },
    async sweep(inUse) {
      return await attempt("sweeping", async () => {
        const loose = (await unfinished()).filter(({ key }) => !inUse(key));
        for (const { path } of loose) await rm(path, { force: true });
        return loose.length;
      });
    },
    async free() {
      const { bavail, bsize } = await attempt("measuring the free space", () => statfs(root));
      return bavail * bsize;
    },
  };
}

/** All folders are there and durable before the first blob: a commit then has one folder to sync, its own. */
async function makeFolders(root: string, incoming: string): Promise<void> {
  const made = await mkdir(incoming, { recursive: true, mode: 0o700 });
  const present = new Set(await readdir(root));
  const missing = [...ALPHABET].filter((letter) => !present.has(letter));
  for (const letter of missing) await mkdir(join(root, letter), { recursive: true, mode: 0o700 });
  if (made === undefined && missing.length === 0) return;
  await syncFolder(root);
  await syncFolder(resolve(root, ".."));
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw diskFailure("opening", error);
  }
}
