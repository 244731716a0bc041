import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { S3Client, type S3File } from "bun";
import type { BlobStore } from "../../files/blob-ports.ts";
import { systemCode } from "../data-dir.ts";
import { attempt } from "./disk-failure.ts";
import { createIncoming, type Deliver } from "./disk-incoming.ts";
import { checkedKey, isKey } from "./disk-key.ts";
import { syncFolder } from "./disk-writer.ts";
import { attemptS3 } from "./s3-failure.ts";
import { sendFile } from "./s3-send.ts";
import { createTurns } from "./s3-turns.ts";

/** S3 refuses URLs that live longer. */
const LONGEST_URL = 7 * 86_400;

/** What is sent at once costs memory: each of them holds some parts. */
const SENDS_AT_ONCE = 2;

export interface S3BlobsOptions {
  /** Of the service, such as https://s3.eu-central-1.amazonaws.com. */
  endpoint: string;
  bucket: string;
  region: string;
  /** What this instance's keys begin with in the bucket; a slash is put behind it. Empty: the bucket is its alone. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** A folder for unfinished blobs, on a disk that survives a restart. */
  staging: string;
  /** Bytes in a part of a large blob, 5 MiB or more. */
  partSize?: number;
}

/**
 * Blobs as objects of an S3-compatible service. An unfinished one lies in `staging`, so that it is resumed to the byte
 * as on a disk; the commit sends it and asks for its size before it lets go of the file. Nothing is asked of the
 * service before the first use. Throws WisError disk.full, disk.failed.
 */
export async function openS3Blobs(options: S3BlobsOptions): Promise<BlobStore> {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey, partSize } = options;
  const service = { endpoint: endpoint.replace(/\/+$/, ""), bucket, region, accessKeyId, secretAccessKey };
  const client = new S3Client(service);
  // Bun 1.4.5 puts the key id into a URL, and into what it signs of it, as it is: a colon in it is refused.
  const signer = new S3Client({ ...service, accessKeyId: encodeURIComponent(accessKeyId) });
  const prefix = folderOf(options.prefix);
  const staging = resolve(options.staging);
  await attempt("preparing the folders", () => makeFolder(staging));
  const incoming = createIncoming(staging);
  const inTurn = createTurns(SENDS_AT_ONCE);

  const objectOf = (key: string): S3File => client.file(prefix + checkedKey(key));

  function sendAs(key: string): Deliver {
    const object = objectOf(key);
    return async (place, size) => {
      await attemptS3("committing", async () => {
        await inTurn(() => sendFile(place, { object, size, partSize }));
        const stored = await sizeOf(object);
        if (stored !== size) throw new Error(`${stored ?? "none"} of ${size} bytes were stored`);
        // It was deleted while it was on its way: nobody would remove the object any more.
        if (!(await Bun.file(place).exists())) {
          await object.delete();
          throw new Error("it was deleted meanwhile");
        }
        await rm(place);
      });
    };
  }

  return {
    create: async (key) => await incoming.create(key, sendAs(key)),
    resume: async (key) => await incoming.resume(key, sendAs(key)),
    unfinished: async (key) => await incoming.unfinished(checkedKey(key)),
    async open(key, range) {
      const object = objectOf(key);
      const size = await attemptS3("opening", () => sizeOf(object));
      if (size === undefined) return undefined;
      // An object's own `size` is not known to it; a slice's is. An empty range would ask for everything.
      if (size === 0) return new Blob([]);
      return range ? object.slice(range.start, range.end + 1) : object.slice(0, size);
    },
    async delete(key) {
      const object = objectOf(key);
      await incoming.remove(key);
      await attemptS3("deleting", () => object.delete());
    },
    async *keys() {
      let after: string | undefined;
      do {
        const page = await attemptS3("listing", () =>
          client.list({ prefix, maxKeys: 1000, ...(after !== undefined && { continuationToken: after }) }),
        );
        yield* (page.contents ?? []).map((object) => object.key.slice(prefix.length)).filter(isKey);
        after = page.isTruncated ? page.nextContinuationToken : undefined;
      } while (after !== undefined);
    },
    sweep: (inUse) => incoming.sweep(inUse),
    free: () => incoming.free(),
    presign(key, { disposition, contentType, expiresInSeconds }) {
      return signer.presign(prefix + checkedKey(key), {
        method: "GET",
        expiresIn: Math.max(1, Math.min(LONGEST_URL, Math.floor(expiresInSeconds))),
        contentDisposition: disposition,
        type: contentType,
      });
    },
  };
}

/** Undefined: there is no such object. */
async function sizeOf(object: S3File): Promise<number | undefined> {
  try {
    return (await object.stat()).size;
  } catch (error) {
    const reason = await reasonOf(object, error);
    if (systemCode(reason) === "NoSuchKey") return undefined;
    throw reason;
  }
}

/** The answer to HEAD has no body: Bun takes every 404 for a missing key, the bucket's too, and knows nothing of a 403. */
async function reasonOf(object: S3File, error: unknown): Promise<unknown> {
  try {
    await object.slice(0, 1).bytes();
    return error;
  } catch (reason) {
    return reason;
  }
}

function folderOf(prefix: string): string {
  const name = prefix.replace(/^\/+|\/+$/g, "");
  return name === "" ? "" : `${name}/`;
}

async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(made));
}
