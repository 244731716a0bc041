import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { BlobStore } from "../../files/blob-ports.ts";
import { systemCode } from "../data-dir.ts";
import { attempt, diskFailure } from "./disk-failure.ts";
import { createIncoming, type Deliver } from "./disk-incoming.ts";
import { checkedKey, isKey } from "./disk-key.ts";
import { syncFolder } from "./disk-writer.ts";

/** What keys begin with. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The folder of unfinished blobs. */
export const INCOMING = "incoming";

/**
 * Blobs as files under `dir`, which is made if need be: a blob lies in the folder of its key's first letter, an
 * unfinished one in `incoming` on the same disk, so that its name is put in place by one rename. Throws WisError
 * disk.full, disk.failed.
 */
export async function openDiskBlobs({ dir }: { dir: string }): Promise<BlobStore> {
  const root = resolve(dir);
  const folder = join(root, INCOMING);
  await attempt("preparing the folders", () => makeFolders(root, folder));
  const incoming = createIncoming(folder);

  /** The only way from a key to a path: what could leave the folder is no key. */
  function pathOf(key: string): string {
    return join(root, checkedKey(key).slice(0, 1), key);
  }

  /** The name is in place by one rename. */
  function moveTo(path: string): Deliver {
    return async (place) => {
      await rename(place, path);
      await syncFolder(dirname(path));
    };
  }

  return {
    create: async (key) => await incoming.create(key, moveTo(pathOf(key))),
    resume: async (key) => await incoming.resume(key, moveTo(pathOf(key))),
    unfinished: async (key) => await incoming.unfinished(checkedKey(key)),
    async open(key, range) {
      const path = pathOf(key);
      const blob = Bun.file(path);
      // A size is looked up on this thread, as Bun itself opens and reads a small file: a turn through another took
      // longer than all the rest of a small download, and sent its headers in seven pieces. None may mean anything.
      if (blob.size === 0 && !(await isThere(path))) return undefined;
      return range ? blob.slice(range.start, range.end + 1) : blob;
    },
    async delete(key) {
      const path = pathOf(key);
      await attempt("deleting", () => rm(path, { force: true }));
      await incoming.remove(key);
    },
    async *keys() {
      // Read, not spelled out: where a disk ignores case, two letters share a folder.
      for (const folder of await attempt("listing", () => readdir(root))) {
        if (folder.length !== 1 || !ALPHABET.includes(folder)) continue;
        const names = await attempt("listing", () => readdir(join(root, folder)));
        yield* names.filter(isKey);
      }
    },
    sweep: (inUse) => incoming.sweep(inUse),
    free: () => incoming.free(),
    presign: () => undefined,
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
