import { expect, test } from "bun:test";
import { codeOf, incoming, openTestDesk, slowBody, ticketIn } from "../testing/file-desk.ts";
import {
  append,
  appendBody,
  begin,
  newTicket,
  owner,
  sha256,
  sound,
  wrapWriters,
} from "../testing/resumable.ts";
import type { BlobStore } from "./blob-ports.ts";

const DAY = 86_400_000;

/** A desk whose next commits fail as long as it is told so. */
function failingCommits() {
  const fault = { on: true };
  const wrapBlobs = (blobs: BlobStore) =>
    wrapWriters(blobs, (writer) => ({
      ...writer,
      async commit() {
        if (fault.on) throw new Error("EIO");
        await writer.commit();
      },
    }));
  return { fault, wrapBlobs };
}

test("a commit that fails leaves the upload as it is, and whoever asks how far it is later finishes it", async () => {
  const { fault, wrapBlobs } = failingCommits();
  await using desk = await openTestDesk({ wrapBlobs });
  const { key } = await begin(desk, await newTicket(desk), 5);
  await expect(append(desk, key, 0, "hello")).rejects.toThrow("EIO");
  await expect(desk.files.progress(key)).rejects.toThrow("EIO");
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 5 });
  fault.on = false;
  const { file } = await desk.files.progress(key);
  expect(file?.sha256).toBe(sha256("hello"));
  expect(await desk.verify()).toEqual(sound);
});

test("a commit that fails is made good by an empty part at the end as well", async () => {
  const { fault, wrapBlobs } = failingCommits();
  await using desk = await openTestDesk({ wrapBlobs });
  const { key } = await begin(desk, await newTicket(desk), undefined);
  // It learns its length while its bytes come.
  const sender = slowBody();
  const going = appendBody(desk, key, sender.body);
  await sender.wanted();
  await desk.files.announce(key, 5);
  sender.send("hello");
  sender.end();
  await expect(going).rejects.toThrow("EIO");
  fault.on = false;
  expect((await append(desk, key, 5, "")).file?.sha256).toBe(sha256("hello"));
});

test("several who ask at once for an upload that only lacks its end make one file of it", async () => {
  const { fault, wrapBlobs } = failingCommits();
  await using desk = await openTestDesk({ wrapBlobs });
  const { key } = await begin(desk, await newTicket(desk), 5);
  await expect(append(desk, key, 0, "hello")).rejects.toThrow("EIO");
  fault.on = false;
  const asked = await Promise.all(Array.from({ length: 5 }, () => desk.files.progress(key)));
  expect(asked.filter(({ file }) => file)).not.toHaveLength(0);
  expect(asked.every(({ received }) => received === 5)).toBe(true);
  expect((await desk.files.progress(key)).file?.sha256).toBe(sha256("hello"));
  expect(await desk.verify()).toEqual(sound);
  expect(desk.wakes()).toBe(1);
});

/** A process that dies when its bytes are in place and its row is not told. */
async function diedBeforeFinish(text: string) {
  const dead = Promise.withResolvers<void>();
  const first = await openTestDesk({
    wrapIndex: (index) => ({
      ...index,
      finish() {
        dead.resolve();
        return new Promise<never>(() => undefined);
      },
    }),
  });
  const link = await first.files.issue({ ownerId: owner });
  const { key } = await begin(first, ticketIn(link), text.length);
  void append(first, key, 0, text);
  await dead.promise;
  return { desk: await first.crash(), key, fileId: link.fileId };
}

test("a crash between the bytes and their row is made good by whoever asks how far it is", async () => {
  const { desk: opened, key, fileId } = await diedBeforeFinish("hello");
  await using desk = opened;
  expect(await desk.repair()).toEqual({ uploads: 0, deletions: 0, fragments: 0, failed: 0 });
  expect(await desk.verify()).toEqual(sound);
  expect(await desk.files.progress(key)).toMatchObject({
    received: 5,
    file: { id: fileId, sha256: sha256("hello") },
  });
  expect(await desk.verify()).toEqual(sound);
  expect(await desk.store.announcements.due(desk.clock.now, 10)).toHaveLength(1);
});

test("a crash between the bytes and their row, and nobody ever asks: the clean-up takes both away", async () => {
  const { desk: opened, key } = await diedBeforeFinish("hello");
  await using desk = opened;
  desk.clock.now += 2 * DAY;
  expect(await codeOf(desk.files.progress(key))).toBe("upload.unknown");
  expect(await desk.cleanUp()).toMatchObject({ abandoned_uploads: 1, failed: 0 });
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect((await desk.files.usage(owner)).bytes).toBe(0);
});

test("a crash between the bytes and their row, and the same bytes come from elsewhere: they are kept once", async () => {
  const { desk: opened, key } = await diedBeforeFinish("hello");
  await using desk = opened;
  const other = await desk.files.add({ ownerId: "2" }, incoming());
  const { file } = await desk.files.progress(key);
  expect(file?.blobKey).toBe(other.blobKey);
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([other.blobKey ?? ""]);
  expect(await desk.verify()).toEqual(sound);
});
