import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { direct } from "../store/rows.fixture.ts";
import {
  incoming,
  openTestDesk,
  slowBody,
  type TestDesk,
  type TestDeskOptions,
  ticketIn,
} from "../testing/file-desk.ts";
import { begin } from "../testing/resumable.ts";
import { DEAD_AFTER } from "./live-uploads.ts";

const owner = "111111111111111111";
const nothing = {
  expired_files: 0,
  expired_links: 0,
  abandoned_uploads: 0,
  old_records: 0,
  bytes: 0,
  failed: 0,
};

async function summaries(desk: TestDesk) {
  return desk.lines().filter(({ msg, level }) => level !== "debug" && String(msg).startsWith("clean-up"));
}

test("expired files and links go with their bytes; what lives stays", async () => {
  await using desk = await openTestDesk();
  const { files, clock } = desk;
  const kept = await files.add({ ownerId: owner, expireAfter: 10_000_000 }, incoming());
  await files.add({ ownerId: owner, expireAfter: 1000 }, incoming({ text: "0123456789" }));
  await files.upload(ticketIn(await files.issue({ ownerId: owner })), incoming());
  await files.issue({ ownerId: owner });
  clock.now += 3_600_000;
  const open = await files.issue({ ownerId: owner });

  expect(await desk.cleanUp()).toEqual({ ...nothing, expired_files: 1, expired_links: 1, bytes: 10 });
  expect((await Array.fromAsync(files.list({}))).map(({ id }) => id)).toContain(open.fileId);
  expect(await files.get(kept.id)).toEqual(kept);
  // Two files with the same bytes, which are kept once.
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([kept.blobKey ?? ""]);
  expect(await desk.verify()).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
});

test("it says in one line what it removed, and nothing above debug when there was nothing", async () => {
  await using desk = await openTestDesk();
  expect(await desk.cleanUp()).toEqual(nothing);
  expect(await summaries(desk)).toEqual([]);
  await desk.files.add({ ownerId: owner, expireAfter: 1 }, incoming({ text: "x".repeat(1500) }));
  desk.clock.now += 1;
  await desk.cleanUp();
  const [line, ...more] = await summaries(desk);
  expect(line).toMatchObject({ expired_files: 1, bytes: 1500 });
  expect(line?.msg).toContain("removed 1 file (1.5 kB)");
  expect(more).toEqual([]);
});

test("it works through more than a batch and leaves no debris", async () => {
  await using desk = await openTestDesk({ limits: { maxFiles: 10_000 } });
  await Promise.all(
    Array.from({ length: 450 }, async (_, i) => {
      await desk.files.add({ ownerId: owner, expireAfter: 1 }, incoming({ text: String(i).padStart(3) }));
      await desk.files.issue({ ownerId: owner });
    }),
  );
  desk.clock.now += 3_600_000;
  expect(await desk.cleanUp()).toEqual({
    ...nothing,
    expired_files: 450,
    expired_links: 450,
    bytes: 450 * 3,
  });
  expect(await Array.fromAsync(desk.files.list({}))).toEqual([]);
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
});

/** A desk whose disk refuses to delete what `stuck` names. */
function withStuckBlobs(stuck: (key: string) => boolean): TestDeskOptions {
  return {
    limits: { maxFiles: 10_000 },
    wrapBlobs: (blobs) => ({
      ...blobs,
      delete: async (key) => {
        if (stuck(key)) throw new WisError("disk.failed", { say: "The disk does not answer." });
        await blobs.delete(key);
      },
    }),
  };
}

test("a blob that won't go stops nothing, is recorded, and goes the next time", async () => {
  let stuck = "";
  let id = "";
  await using desk = await openTestDesk(withStuckBlobs((key) => key === stuck));
  for (const text of ["one  ", "two  ", "three", "four ", "five "]) {
    const file = await desk.files.add({ ownerId: owner, expireAfter: 1 }, incoming({ text }));
    [id, stuck] = [file.id, file.blobKey ?? ""];
  }
  desk.clock.now += 1;
  expect(await desk.cleanUp()).toEqual({ ...nothing, expired_files: 4, bytes: 20, failed: 1 });
  expect(desk.lines().filter(({ level }) => level === "error")).toHaveLength(1);
  await expect(desk.files.get(id)).rejects.toMatchObject({ code: "file.unknown" });

  stuck = "";
  expect(await desk.cleanUp()).toEqual({ ...nothing, expired_files: 1, bytes: 5 });
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
});

test("a disk that refuses everything is not asked for ever", async () => {
  await using desk = await openTestDesk(withStuckBlobs(() => true));
  await Promise.all(
    Array.from({ length: 450 }, (_, i) =>
      desk.files.add({ ownerId: owner, expireAfter: 1 }, incoming({ text: `${i}` })),
    ),
  );
  desk.clock.now += 1;
  const { failed, expired_files } = await desk.cleanUp();
  expect(expired_files).toBe(0);
  expect(failed).toBeLessThanOrEqual(400);
});

/** An upload whose process has died: claimed, begun, never heard of again. */
async function deadUpload(desk: TestDesk) {
  const uploadKey = "d".repeat(22);
  const row = direct({ ownerId: "cli", size: 1000, uploadKey, createdAt: desk.clock.now });
  await desk.store.files.insert(row, desk.files.limits(owner, null));
  await (await desk.blobs.create(uploadKey)).write(new Uint8Array(10));
  return row.id;
}

test("an upload without a heartbeat is undone, one with a heartbeat is left alone", async () => {
  await using desk = await openTestDesk();
  await deadUpload(desk);
  const sender = slowBody();
  const upload = desk.files.add({ ownerId: owner }, incoming({ body: sender.body, length: 5 }));
  await sender.wanted();
  expect(await desk.cleanUp()).toEqual(nothing);

  desk.clock.now += DEAD_AFTER + 1;
  expect(await desk.cleanUp()).toEqual({ ...nothing, abandoned_uploads: 1, bytes: 1000 });
  expect(await desk.files.usage("cli")).toEqual({ files: 0, bytes: 0 });
  sender.send("hello");
  sender.end();
  expect((await upload).size).toBe(5);
});

test("beside the process that holds the lock, nothing that is uploading is touched", async () => {
  await using desk = await openTestDesk();
  const id = await deadUpload(desk);
  desk.clock.now += DEAD_AFTER * 10;
  expect(await desk.cleanUp({ alone: false })).toEqual(nothing);
  expect((await desk.store.files.find(id))?.state).toBe("uploading");
});

/** A bundle that waits for three files and has two. */
async function openBundle(desk: TestDesk) {
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.prepare(ticketIn(link), { files: 3, title: "Holiday" });
  for (const name of ["a.txt", "b.txt"]) {
    await desk.files.upload(ticketIn(link), incoming({ name, text: name }));
  }
  return link;
}

test("what has arrived for a bundle is shared when its link ends, and nothing of it is thrown away", async () => {
  await using desk = await openTestDesk();
  const link = await openBundle(desk);
  desk.clock.now = link.expiresAt - 1;
  expect(await desk.cleanUp()).toEqual(nothing);
  await expect(desk.files.get(link.fileId)).rejects.toMatchObject({ code: "file.unknown" });

  desk.clock.now += 1;
  // Beside the process that holds the lock it is not this one's to share, nor to throw away.
  expect(await desk.cleanUp({ alone: false })).toEqual(nothing);
  expect(await desk.cleanUp()).toEqual(nothing);
  const bundle = await desk.files.get(link.fileId);
  expect(bundle).toMatchObject({ name: "Holiday.zip", members: 2, size: 10 });
  expect((await desk.files.members(bundle)).map(({ name }) => name)).toEqual(["a.txt", "b.txt"]);
  expect(await desk.verify()).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
});

test("a bundle whose link ended waits for the file that is being sent", async () => {
  await using desk = await openTestDesk();
  const link = await openBundle(desk);
  const sender = slowBody();
  const last = incoming({ name: "c.txt", body: sender.body, length: 5 });
  const upload = desk.files.upload(ticketIn(link), last);
  await sender.wanted();
  desk.clock.now = link.expiresAt + 1;
  expect(await desk.cleanUp()).toEqual(nothing);
  sender.send("hello");
  sender.end();
  expect(await upload).toMatchObject({ members: 3, url: `http://wisbot.test/f/${link.fileId}` });
});

test("a bundle goes with its files and their bytes when it expires", async () => {
  await using desk = await openTestDesk();
  const link = await openBundle(desk);
  desk.clock.now = link.expiresAt;
  await desk.cleanUp();
  desk.clock.now += 7 * 86_400_000;
  expect(await desk.cleanUp()).toMatchObject({ bytes: 10, failed: 0 });
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a bundle's files go some at a time, each with its bytes before the next are marked", async () => {
  let marked = 0;
  let most = 0;
  await using desk = await openTestDesk({
    limits: { maxFiles: 10 },
    wrapIndex: (index) => ({
      ...index,
      async markMembers(limit) {
        const rows = await index.markMembers(limit);
        marked += rows.length;
        most = Math.max(most, marked);
        return rows;
      },
      async remove(ids, now) {
        marked -= ids.length;
        await index.remove(ids, now);
      },
    }),
  });
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.prepare(ticketIn(link), { files: 450 });
  for (let nth = 0; nth < 450; nth += 1) {
    await desk.files.upload(ticketIn(link), incoming({ name: `${nth}.txt`, text: "same" }));
  }
  desk.clock.now += 8 * 86_400_000;
  expect(await desk.cleanUp()).toEqual({ ...nothing, expired_files: 450, bytes: 450 * 4 });
  expect(most).toBeLessThanOrEqual(200);
  expect(await desk.store.files.find(link.fileId)).toBeUndefined();
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a bundle that is half gone stays hidden, and goes with its last file, which was stuck", async () => {
  let stuck = "";
  await using desk = await openTestDesk(withStuckBlobs((key) => key === stuck));
  const link = await openBundle(desk);
  await desk.files.upload(ticketIn(link), incoming({ name: "c.txt", text: "c" }));
  const [member] = await desk.files.members(await desk.files.get(link.fileId));
  stuck = member?.blobKey ?? "";
  desk.clock.now += 8 * 86_400_000;
  expect(await desk.cleanUp()).toMatchObject({ expired_files: 2, failed: 1 });
  expect((await desk.store.files.find(link.fileId))?.state).toBe("deleting");
  for (const id of [link.fileId, member?.id ?? ""]) {
    await expect(desk.files.get(id)).rejects.toMatchObject({ code: "file.unknown" });
  }
  stuck = "";
  expect(await desk.cleanUp()).toMatchObject({ expired_files: 1, failed: 0 });
  expect(await desk.store.files.find(link.fileId)).toBeUndefined();
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a process that died between a bundle and its files: the next clean-up takes them", async () => {
  const first = await openTestDesk();
  const link = await openBundle(first);
  await first.files.upload(ticketIn(link), incoming({ name: "c.txt", text: "c" }));
  first.clock.now += 8 * 86_400_000;
  await first.store.files.markExpired(first.clock.now, 1);
  await using desk = await first.crash();
  await desk.repair();
  await desk.cleanUp();
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
});

test("an upload that nobody goes on with any more goes in one run with its link", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  await begin(desk, ticketIn(link), 1000);
  desk.clock.now += 2 * 86_400_000;
  expect(await desk.cleanUp()).toMatchObject({ abandoned_uploads: 1, expired_links: 1 });
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("it ends soon after it is told to", async () => {
  await using desk = await openTestDesk();
  await desk.files.add({ ownerId: owner, expireAfter: 1 }, incoming());
  desk.clock.now += 1;
  expect(await desk.cleanUp({ signal: AbortSignal.abort() })).toEqual(nothing);
});
