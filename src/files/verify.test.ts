import { expect, test } from "bun:test";
import { bodyOf, codeOf, incoming, onlyDisk, openTestDesk, type TestDesk } from "../testing/file-desk.ts";
import type { BlobStore } from "./blob-ports.ts";
import { verifyFiles } from "./verify.ts";

const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };

const depsOf = ({ store, blobs, telemetry }: TestDesk, disk = blobs) => ({
  index: store.files,
  contents: store.blobs,
  stores: onlyDisk(disk),
  telemetry,
});

async function store(desk: TestDesk, key: string, text: string) {
  const writer = await desk.blobs.create(key);
  await writer.write(new TextEncoder().encode(text));
  await writer.commit();
}

test("what is as it should be is sound", async () => {
  await using desk = await openTestDesk();
  await desk.files.add({ ownerId: "a" }, incoming());
  await desk.files.add({ ownerId: "a" }, incoming({ text: "" }));
  await desk.files.issue({ ownerId: "a" });
  expect(await desk.verify()).toEqual(sound);
});

test("missing bytes, lost bytes and changed bytes are told apart", async () => {
  await using desk = await openTestDesk();
  const missing = await desk.files.add({ ownerId: "a" }, incoming({ text: "missing" }));
  const changed = await desk.files.add({ ownerId: "a" }, incoming({ text: "changed" }));
  const shortened = await desk.files.add({ ownerId: "a" }, incoming({ text: "shortened" }));
  const lost = "l".repeat(22);
  await desk.blobs.delete(missing.blobKey ?? "");
  await store(desk, changed.blobKey ?? "", "changeD");
  await store(desk, shortened.blobKey ?? "", "shortene");
  await store(desk, lost, "whose?");

  const report = await desk.verify();
  expect(report.rows_without_bytes).toEqual([missing.id]);
  expect(report.bytes_without_rows).toEqual([lost]);
  expect(report.corrupt.toSorted()).toEqual([changed.id, shortened.id].toSorted());
});

/** A store whose bytes begin to come and then break, or can't be asked for at all. */
const failing = (desk: TestDesk, how: "open" | "read"): BlobStore => ({
  ...desk.blobs,
  async open(key) {
    if (how === "open") throw new Error("ECONNREFUSED");
    const blob = await desk.blobs.open(key);
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("EIO")) });
    return blob && Object.assign(blob, { stream: () => broken });
  },
});

test.each(["open", "read"] as const)(
  "a store that fails to %s is away: nothing is said of the files, which may be sound",
  async (how) => {
    await using desk = await openTestDesk();
    await desk.files.add({ ownerId: "a" }, incoming());
    const verifying = verifyFiles(depsOf(desk, failing(desk, how)), { signal: new AbortController().signal });
    expect(await codeOf(verifying)).toBe("disk.failed");
  },
);

test("bytes that are removed while they are read are not amiss", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "a" }, incoming());
  const leaving = {
    ...failing(desk, "read"),
    async open(key: string) {
      const blob = await failing(desk, "read").open(key);
      if (blob) await desk.files.remove(file.id, "admin");
      return blob;
    },
  };
  const report = await verifyFiles(depsOf(desk, leaving), { signal: new AbortController().signal });
  expect(report).toEqual(sound);
});

test("it says how far it is, file by file and byte by byte", async () => {
  await using desk = await openTestDesk();
  const body = bodyOf(Array.from({ length: 40 }, () => new Uint8Array(100_000)));
  await desk.files.add({ ownerId: "a" }, incoming({ body, length: 4_000_000 }));
  const steps: [number, number][] = [];
  await verifyFiles(depsOf(desk), {
    signal: new AbortController().signal,
    onProgress: (files, bytes) => steps.push([files, bytes]),
  });
  expect(steps.length).toBeGreaterThan(2);
  expect(steps.at(-1)).toEqual([1, 4_000_000]);
  expect(steps).toEqual(steps.toSorted((a, b) => a[1] - b[1]));
});

test("it stops when told to", async () => {
  await using desk = await openTestDesk();
  await desk.files.add({ ownerId: "a" }, incoming());
  const signal = AbortSignal.abort(new Error("stop"));
  await expect(verifyFiles(depsOf(desk), { signal })).rejects.toThrow("stop");
});

test("damaged bytes that several files share make each of them corrupt, and are read once", async () => {
  await using desk = await openTestDesk();
  const files = [
    await desk.files.add({ ownerId: "a" }, incoming()),
    await desk.files.add({ ownerId: "b" }, incoming()),
  ];
  await store(desk, files[0]?.blobKey ?? "", "hellO");
  let opened = 0;
  const counting = depsOf(desk, {
    ...desk.blobs,
    open: async (key) => {
      opened += 1;
      return await desk.blobs.open(key);
    },
  });
  const { corrupt } = await verifyFiles(counting, { signal: new AbortController().signal });
  expect(corrupt.toSorted()).toEqual(files.map(({ id }) => id).toSorted());
  expect(opened).toBe(1);
});
