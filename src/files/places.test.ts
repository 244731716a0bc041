import { expect, test } from "bun:test";
import { join } from "node:path";
import { newCapability } from "../lib/capability.ts";
import { openDiskBlobs } from "../store/blobs/disk.ts";
import { codeOf, incoming, openTestDesk, type TestDesk } from "../testing/file-desk.ts";
import { begin, cutAfter, newTicket, owner, sound } from "../testing/resumable.ts";
import type { BlobPlace, BlobStore, BlobStores } from "./blob-ports.ts";
import { dropBytes } from "./drop-bytes.ts";
import { eraseDeleting } from "./erase.ts";
import { repairFiles } from "./repair.ts";
import { reconcile, scrubJob } from "./scrub.ts";
import { verifyFiles } from "./verify.ts";

// A wisbot whose admin has changed files.store: new files go to another disk, which stands for S3.

const { signal } = new AbortController();

interface Changed {
  place?: BlobPlace;
  wrapS3?(blobs: BlobStore): BlobStore;
}

/** The parts that look after the bytes of a desk, whose own uploads went to the disk. */
async function openChanged(desk: TestDesk, { place = "s3", wrapS3 = (blobs) => blobs }: Changed = {}) {
  const disk = desk.blobs;
  const s3 = wrapS3(await openDiskBlobs({ dir: join(desk.dataDir, "elsewhere") }));
  const stores: BlobStores = {
    place,
    places: ["disk", "s3"],
    presigns: false,
    at: (wanted) => ({ disk, s3 })[wanted],
  };
  const { store, telemetry, metrics, clock } = desk;
  const now = () => clock.now;
  const audit = { note() {} };
  const deps = { index: store.files, contents: store.blobs, stores, telemetry, metrics: metrics.files };
  return { disk, s3, deps: { ...deps, audit, now } };
}

async function commit(blobs: BlobStore, key: string) {
  const writer = await blobs.create(key);
  await writer.write(Buffer.from("whose?"));
  await writer.commit();
}

async function stage(blobs: BlobStore, key: string) {
  const writer = await blobs.create(key);
  await writer.write(Buffer.from("half"));
  await writer.close();
}

const keysIn = (blobs: BlobStore) => Array.fromAsync(blobs.keys());
const away = () => Promise.reject(new Error("ECONNREFUSED"));

/** An upload that was cut when its bytes still went to the disk. */
async function cutUpload(desk: TestDesk) {
  const { key } = await begin(desk, await newTicket(desk), 10);
  await cutAfter(desk, key, 0, "hello");
  const id = (await desk.store.files.findByUpload(key))?.id ?? "";
  return { key, id };
}

test("what an upload staged for the old place goes with it", async () => {
  await using desk = await openTestDesk();
  const { disk, deps } = await openChanged(desk);
  const { key, id } = await cutUpload(desk);
  await dropBytes(deps.stores, await deps.index.release([id]));
  expect(await disk.unfinished(key)).toBeUndefined();
});

test("a place that is away keeps nobody from taking back what never went there", async () => {
  await using desk = await openTestDesk();
  const { disk, deps } = await openChanged(desk, {
    place: "disk",
    wrapS3: (blobs) => ({ ...blobs, delete: away }),
  });
  const { key, id } = await cutUpload(desk);
  await dropBytes(deps.stores, await deps.index.release([id]));
  expect(await disk.unfinished(key)).toBeUndefined();
});

test("the repair sweeps unfinished writes of every place, and leaves those that can be gone on with", async () => {
  await using desk = await openTestDesk();
  const { disk, s3, deps } = await openChanged(desk);
  const { key } = await cutUpload(desk);
  await stage(disk, newCapability());
  await stage(s3, newCapability());
  expect(await repairFiles(deps)).toMatchObject({ uploads: 0, fragments: 2 });
  expect((await disk.unfinished(key))?.size).toBe(5);
});

test("an upload that died before the change is undone with what it had staged", async () => {
  await using desk = await openTestDesk();
  const { disk, deps } = await openChanged(desk);
  const { key } = await cutUpload(desk);
  desk.clock.now += 2 * 86_400_000;
  expect(await repairFiles(deps)).toMatchObject({ uploads: 1, fragments: 0 });
  expect(await disk.unfinished(key)).toBeUndefined();
});

test.each(["disk", "s3"] as const)(
  "an upload that is taken away leaves nothing in any place, when new files go to %s",
  async (place) => {
    await using desk = await openTestDesk();
    const { disk, s3, deps } = await openChanged(desk, { place });
    const { key, id } = await cutUpload(desk);
    await stage(s3, key);
    await commit(s3, key);
    expect(await deps.index.markDeleting(id, Number.MAX_SAFE_INTEGER)).toBe(true);
    const row = await deps.index.find(id);
    expect(await eraseDeleting(deps, row ? [row] : [], "repaired")).toMatchObject({ failed: [] });
    expect([await disk.sweep(() => false), await s3.sweep(() => false)]).toEqual([0, 0]);
    expect(await keysIn(s3)).toEqual([]);
    expect(await deps.index.find(id)).toBeUndefined();
  },
);

test.each(["disk", "s3"] as const)(
  "bytes that belong to nothing are found in both places, when new files go to %s",
  async (place) => {
    await using desk = await openTestDesk();
    const { disk, s3, deps } = await openChanged(desk, { place });
    const file = await desk.files.add({ ownerId: owner }, incoming());
    const [one, other] = [newCapability(), newCapability()];
    await commit(disk, one);
    await commit(s3, other);
    const found = await verifyFiles(deps, { signal });
    expect(found.bytes_without_rows.toSorted()).toEqual([one, other].toSorted());
    const job = scrubJob(deps);
    await job.run(signal);
    await job.run(signal);
    expect([await keysIn(disk), await keysIn(s3)]).toEqual([[file.blobKey ?? ""], []]);
    expect(await verifyFiles(deps, { signal })).toEqual(sound);
  },
);

test("a key that is alone in one place is not taken for seen in the other", async () => {
  await using desk = await openTestDesk();
  const { disk, s3, deps } = await openChanged(desk);
  const key = newCapability();
  await commit(disk, key);
  const { suspects } = await reconcile(deps, { place: "disk", suspects: new Set(), signal });
  expect([...suspects]).toEqual([key]);
  await commit(s3, key);
  expect(await reconcile(deps, { place: "s3", suspects: new Set(), signal })).toMatchObject({ orphans: 0 });
});

test("a place that is away keeps no other from being tidied, and fails the job", async () => {
  await using desk = await openTestDesk();
  const { disk, deps } = await openChanged(desk, {
    wrapS3: (blobs) => ({
      ...blobs,
      // biome-ignore lint/correctness/useYield: it fails before the first.
      async *keys() {
        await away();
      },
    }),
  });
  await commit(disk, newCapability());
  const job = scrubJob(deps);
  expect(await codeOf(job.run(signal))).toMatchObject({ message: "ECONNREFUSED" });
  expect(await codeOf(job.run(signal))).toMatchObject({ message: "ECONNREFUSED" });
  expect(await keysIn(disk)).toEqual([]);
});

test("a walk through many keys gives the event loop its turns", async () => {
  await using desk = await openTestDesk();
  const many = Array.from({ length: 1_000 }, newCapability);
  const { deps } = await openChanged(desk, {
    wrapS3: (blobs) => ({
      ...blobs,
      open: async () => undefined,
      async *keys() {
        yield* many;
      },
    }),
  });
  let turns = 0;
  let over = false;
  const turn = () => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await reconcile(deps, { place: "s3", suspects: new Set(), signal });
  over = true;
  expect(turns).toBeGreaterThanOrEqual(3);
});
