import { expect, test } from "bun:test";
import { bodyOf, incoming, openTestDesk } from "../testing/file-desk.ts";
import { verifyFiles } from "./verify.ts";

const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };

async function store(desk: Awaited<ReturnType<typeof openTestDesk>>, key: string, text: string) {
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
  const missing = await desk.files.add({ ownerId: "a" }, incoming());
  const changed = await desk.files.add({ ownerId: "a" }, incoming());
  const shortened = await desk.files.add({ ownerId: "a" }, incoming());
  const lost = "l".repeat(22);
  await desk.blobs.delete(missing.id);
  await store(desk, changed.id, "hellO");
  await store(desk, shortened.id, "hell");
  await store(desk, lost, "whose?");

  const report = await desk.verify();
  expect(report.rows_without_bytes).toEqual([missing.id]);
  expect(report.bytes_without_rows).toEqual([lost]);
  expect(report.corrupt.toSorted()).toEqual([changed.id, shortened.id].toSorted());
});

test("a disk that can't read a file makes that one corrupt and goes on", async () => {
  await using desk = await openTestDesk();
  const bad = await desk.files.add({ ownerId: "a" }, incoming());
  await desk.files.add({ ownerId: "a" }, incoming());
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("EIO")) });
  const report = await verifyFiles(
    {
      index: desk.store.files,
      telemetry: desk.telemetry,
      blobs: {
        keys: desk.blobs.keys,
        open: async (key) => {
          const blob = await desk.blobs.open(key);
          return blob && key === bad.id ? Object.assign(blob, { stream: () => broken }) : blob;
        },
      },
    },
    { signal: new AbortController().signal },
  );
  expect(report).toEqual({ ...sound, corrupt: [bad.id] });
});

test("it says how far it is, file by file and byte by byte", async () => {
  await using desk = await openTestDesk();
  const body = bodyOf(Array.from({ length: 40 }, () => new Uint8Array(100_000)));
  await desk.files.add({ ownerId: "a" }, incoming({ body, length: 4_000_000 }));
  const steps: [number, number][] = [];
  const deps = { index: desk.store.files, blobs: desk.blobs, telemetry: desk.telemetry };
  await verifyFiles(deps, {
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
  const deps = { index: desk.store.files, blobs: desk.blobs, telemetry: desk.telemetry };
  await expect(verifyFiles(deps, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
});
