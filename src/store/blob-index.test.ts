import { expect, test } from "bun:test";
import fc from "fast-check";
import type { FileIndex, FileRow } from "../files/ports.ts";
import { openTestStore } from "./open-test-store.ts";
import { arrived, direct, owner, readyFile, roomy, rowOf } from "./rows.fixture.ts";

const keysOf = async (retired: ReturnType<FileIndex["retire"]>) => (await retired).map(({ key }) => key);

test("the same bytes are kept once, and go with the last file that has them", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const [first, second, other] = [
    await readyFile(files, {}, "same"),
    await readyFile(files, {}, "same"),
    await readyFile(files, {}, "other"),
  ];
  expect(second.blobKey).toBe(first.uploadKey);
  expect(second.uploadKey).not.toBe(first.uploadKey);
  expect(await blobs.users(first.blobKey ?? "")).toHaveLength(2);
  expect(await blobs.total("disk")).toEqual({ blobs: 2, bytes: 9 });

  await files.markDeleting(first.id);
  expect(await files.retire([first.id])).toEqual([]);
  await files.remove([first.id], 1);
  expect(await blobs.find(first.blobKey ?? "")).toBeDefined();

  await files.markDeleting(second.id);
  expect(await files.retire([second.id])).toEqual([
    { id: second.id, key: first.uploadKey ?? "", place: "disk" },
  ]);
  await files.remove([second.id], 1);
  expect(await blobs.find(first.blobKey ?? "")).toBeUndefined();
  expect(await blobs.users(other.blobKey ?? "")).toHaveLength(1);
});

test("bytes that are about to be deleted are not shared any more", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const going = await readyFile(files);
  const { sha256, size } = arrived();
  expect(await blobs.findContent(sha256, size)).toMatchObject({ key: going.blobKey });
  await files.markDeleting(going.id);
  // Until they are retired they are there for whoever brings the same.
  expect(await blobs.findContent(sha256, size)).toBeDefined();
  await files.retire([going.id]);
  expect(await blobs.findContent(sha256, size)).toBeUndefined();

  const row = direct();
  await files.insert(row, roomy);
  expect(await files.finish(row, arrived(undefined, { place: undefined }), undefined)).toBe("unstored");
  expect(await files.find(row.id)).toMatchObject({ state: "uploading" });
  expect(await files.finish(row, arrived(), undefined)).toMatchObject({ blobKey: row.uploadKey });
  await files.remove([going.id], 1);
  expect(await blobs.findContent(sha256, size)).toMatchObject({ key: row.uploadKey });
});

test("bytes that are not trusted stay with their files and go to nobody new", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const { sha256, size } = arrived();
  const [first, second] = [await readyFile(files), await readyFile(files)];
  const key = first.blobKey ?? "";
  for (let times = 0; times < 2; times += 1) await blobs.distrust(key);
  expect(await blobs.findContent(sha256, size)).toBeUndefined();
  expect(await blobs.users(key)).toHaveLength(2);
  expect(await blobs.unchecked(4000, 10)).toHaveLength(1);
  expect(await blobs.inPlace("disk", "", 10)).toHaveLength(1);
  expect(await blobs.total("disk")).toEqual({ blobs: 1, bytes: 10 });
  expect(await blobs.moved(key, "disk", "s3")).toBe(true);

  for (const { id } of [first, second]) await files.markDeleting(id);
  expect(await keysOf(files.retire([first.id, second.id]))).toEqual([key, key]);
  await files.remove([first.id, second.id], 1);
  expect(await blobs.find(key)).toBeUndefined();
});

test("whoever brings the same bytes as untrusted ones heals every file that has those", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const { sha256, size } = arrived();
  const [first, second] = [await readyFile(files), await readyFile(files)];
  const other = await readyFile(files, {}, "other");
  for (const { blobKey } of [first, other]) await blobs.distrust(blobKey ?? "");
  await files.markDeleting(second.id);
  const old = first.blobKey ?? "";

  const healing = await readyFile(files);
  expect(healing.blobKey).toBe(healing.uploadKey);
  for (const { id } of [first, second]) {
    expect(await files.find(id)).toMatchObject({ blobKey: healing.blobKey });
  }
  expect(await blobs.findContent(sha256, size)).toMatchObject({ key: healing.blobKey });
  expect(await files.find(other.id)).toMatchObject({ blobKey: other.blobKey });

  expect(await blobs.replaced(10)).toMatchObject([{ key: old, place: "disk" }]);
  await blobs.forget([old, healing.blobKey ?? ""]);
  expect(await blobs.replaced(10)).toEqual([]);
  expect(await blobs.find(old)).toBeUndefined();
  expect(await blobs.find(healing.blobKey ?? "")).toBeDefined();
});

test("bytes that are being deleted with their files are nobody's to replace", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const going = await readyFile(files);
  const key = going.blobKey ?? "";
  await files.markDeleting(going.id);
  await files.retire([going.id]);
  await blobs.distrust(key);
  const anew = await readyFile(files);
  expect(await files.find(going.id)).toMatchObject({ blobKey: key });
  expect(await blobs.replaced(10)).toEqual([]);
  await blobs.forget([key]);
  expect(await blobs.find(key)).toBeDefined();
  await files.remove([going.id], 1);
  expect(await blobs.find(key)).toBeUndefined();
  expect(await blobs.users(anew.blobKey ?? "")).toHaveLength(1);
});

test("of two files that go at once each is told of their bytes, until the last of them is gone", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const [first, second] = [await readyFile(files), await readyFile(files)];
  for (const { id } of [first, second]) await files.markDeleting(id);
  const key = first.blobKey ?? "";
  expect(await keysOf(files.retire([first.id]))).toEqual([key]);
  expect(await keysOf(files.retire([first.id, second.id]))).toEqual([key, key]);
  await files.remove([first.id], 1);
  expect(await keysOf(files.retire([second.id]))).toEqual([key]);
  await files.remove([second.id], 1);
  expect(await blobs.find(key)).toBeUndefined();
});

test("what is not being deleted keeps its bytes", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const ready = await readyFile(files);
  expect(await files.retire([ready.id])).toEqual([]);
  expect(await files.find(ready.id)).toMatchObject({ state: "ready" });
});

test("a checksum that nobody knew is learnt from the next file with the same bytes", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const first = await readyFile(files);
  const row = direct();
  await files.insert(row, roomy);
  await files.finish(row, arrived(undefined, { crc32: 99 }), undefined);
  expect(await blobs.find(first.blobKey ?? "")).toMatchObject({ crc32: 99 });
});

test("what was checked longest ago is checked next", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const keys: string[] = [];
  for (const readyAt of [30, 10, 20]) {
    const row = direct();
    await files.insert(row, roomy);
    await files.finish(row, arrived(`${readyAt}`, { readyAt }), undefined);
    keys.push(row.uploadKey ?? "");
  }
  const [third, first, second] = keys;
  const due = async (before: number) => (await blobs.unchecked(before, 10)).map(({ key }) => key);
  expect(await due(31)).toEqual([first ?? "", second ?? "", third ?? ""]);
  expect(await due(20)).toEqual([first ?? ""]);
  expect(await blobs.unchecked(31, 2)).toHaveLength(2);
  await blobs.checked(first ?? "", 40);
  expect(await due(31)).toEqual([second ?? "", third ?? ""]);
});

test("a blob moves once, and is counted where it is", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  for (const text of ["one", "two", "three"]) await readyFile(files, { uploadKey: text.repeat(8) }, text);
  const pages: string[] = [];
  for (let after = ""; ; ) {
    const [blob] = await blobs.inPlace("disk", after, 1);
    if (!blob) break;
    pages.push(blob.key);
    after = blob.key;
  }
  const [key = "", ...others] = pages;
  expect(pages).toEqual(["one", "three", "two"].map((text) => text.repeat(8)));
  expect(await blobs.moved(key, "disk", "s3")).toBe(true);
  expect(await blobs.moved(key, "disk", "s3")).toBe(false);
  expect(await blobs.find(key)).toMatchObject({ place: "s3" });
  expect(await blobs.total("s3")).toEqual({ blobs: 1, bytes: 3 });
  expect((await blobs.inPlace("disk", "", 10)).map(({ key }) => key)).toEqual(others);

  const [user] = await blobs.users(others[0] ?? "");
  await files.markDeleting(user?.id ?? "");
  await files.retire([user?.id ?? ""]);
  expect(await blobs.moved(others[0] ?? "", "disk", "s3")).toBe(false);
  expect(await blobs.total("disk")).toEqual({ blobs: 1, bytes: 3 });
  expect(await blobs.total("s3")).toEqual({ blobs: 1, bytes: 3 });
});

const step = fc.record({
  kind: fc.constantFrom("add", "add", "mark", "mark and erase", "erase"),
  content: fc.constantFrom("a", "bb"),
  rows: fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
});

/** What is begun together, one batch after the other. */
const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 });

test("however uploads and deletions cross, every file has its bytes and no others are kept", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;

  await fc.assert(
    fc.asyncProperty(fc.scheduler(), batches, async (scheduler, all) => {
      /** Stored bytes by their keys. */
      const disk = new Map<string, string>();
      const ids: string[] = [];
      const uploadKeys: string[] = [];
      // Between any two steps of one, steps of others may come.
      const turn = () => scheduler.schedule(Promise.resolve());

      async function add(text: string) {
        const row = direct();
        await files.insert(row, roomy);
        uploadKeys.push(row.uploadKey ?? "");
        let stored = false;
        let finished: FileRow | string = "unstored";
        while (finished === "unstored") {
          await turn();
          const { sha256, size } = arrived(text);
          if (!stored && !(await blobs.findContent(sha256, size))) {
            disk.set(row.uploadKey ?? "", text);
            stored = true;
          }
          await turn();
          const what = arrived(text, { place: stored ? "disk" : undefined });
          finished = await files.finish(row, what, undefined);
        }
        ids.push(row.id);
        await turn();
        if (rowOf(finished).blobKey !== row.uploadKey) disk.delete(row.uploadKey ?? "");
      }

      async function erase(some: string[]) {
        await turn();
        const gone = await files.retire(some);
        for (const { key } of gone) {
          await turn();
          disk.delete(key);
        }
        await turn();
        await files.remove(some, 1);
      }

      const deleting = async () => (await files.deleting(100)).map(({ id }) => id);

      async function take({ kind, content, rows }: (typeof all)[number][number]) {
        await turn();
        if (kind === "add") return await add(content);
        const some = rows.flatMap((row) => ids[row % Math.max(ids.length, 1)] ?? []);
        if (kind !== "erase") for (const id of some) await files.markDeleting(id);
        if (kind === "mark") return;
        const marked = new Set(await deleting());
        await erase(some.filter((id) => marked.has(id)));
      }

      for (const batch of all) await scheduler.waitFor(Promise.all(batch.map(take)));
      const ready = await files.list({ ownerId: owner, states: ["ready"], limit: 100 });
      for (const { blobKey, size } of ready) {
        expect(disk.get(blobKey ?? "")).toHaveLength(size);
        expect(await blobs.findContent(arrived(disk.get(blobKey ?? "")).sha256, size)).toMatchObject({
          key: blobKey ?? "",
        });
      }

      await scheduler.waitFor(erase(await deleting()));
      const live = await blobs.inPlace("disk", "", 100);
      expect([...disk.keys()].toSorted()).toEqual(live.map(({ key }) => key));
      expect(new Set(ready.map(({ blobKey }) => blobKey ?? ""))).toEqual(new Set(disk.keys()));
      expect(new Set(disk.values()).size).toBe(disk.size);

      for (const { id } of ready) await files.markDeleting(id);
      await scheduler.waitFor(erase(await deleting()));
      expect([...disk.keys()]).toEqual([]);
      for (const key of uploadKeys) expect(await blobs.find(key)).toBeUndefined();
    }),
    { numRuns: 100 },
  );
}, 30_000);
