import { expect, test } from "bun:test";
import type { Announcement } from "../announce/ports.ts";
import type { FileIndex, FileRow } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";
import { arrived, claimOf, direct, link, owner, readyFile, roomy, rowOf } from "./rows.fixture.ts";

const origin = {
  guildId: "1",
  channelId: "2",
  private: false,
  applicationId: "3",
  interactionToken: "secret",
  interactionAt: 5,
};

const announcementOf = ({ id, ownerId }: Pick<FileRow, "id" | "ownerId">): Announcement => ({
  id: newCapability(),
  kind: "upload.finished",
  fileId: id,
  ownerId,
  origin,
  createdAt: 3000,
});

test("a link goes from pending through uploading to ready, and every step shows what it should", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const asker = { guildId: "1", roleIds: ["2", "3"] };
  const row = link({ origin, asker });
  expect(await files.insert(row, roomy)).toBe(true);
  const { ticketHash, ...given } = row;
  const pending: FileRow = {
    ...given,
    state: "pending",
    sha256: null,
    readyAt: null,
    expiresAt: null,
    parentId: null,
    expected: null,
    path: null,
    resumeUntil: null,
    blobKey: null,
    downloads: 0,
    bundleBytes: null,
    title: null,
    note: null,
    passwordHash: null,
    maxDownloads: null,
    expireAfter: null,
  };
  expect(await files.find(row.id)).toEqual(pending);

  const claim = claimOf(row, { resumeUntil: 8000 });
  const { name, contentType, size, uploadKey, length } = claim;
  const sent = { name, contentType, size, uploadKey, length, resumeUntil: 8000 };
  const uploading: FileRow = { ...pending, ...sent, state: "uploading" };
  expect(await files.claim(claim)).toEqual(uploading);
  expect(await files.findByUpload(claim.uploadKey)).toEqual(uploading);

  const { place, crc32, ...done } = arrived("twelve bytes");
  // The address of the upload stays, so that its sender can still ask how far it is.
  const ready: FileRow = { ...uploading, ...done, state: "ready", resumeUntil: null, blobKey: uploadKey };
  expect(await files.finish(uploading, { ...done, place, crc32 }, undefined)).toEqual(ready);
  expect(await files.findByTicket(ticketHash)).toEqual(ready);
  expect(await files.findByUpload(claim.uploadKey)).toEqual(ready);
});

test("a ticket is claimed by one of a hundred at once", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  const claims = await Promise.all(Array.from({ length: 100 }, () => files.claim(claimOf(row))));
  expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
});

test.each([
  ["from the millisecond its link expires", 5000],
  ["long after", 50_000],
])("a ticket can't be claimed %s", async (_, now) => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  expect(await files.claim(claimOf(row, { now }))).toBeUndefined();
  expect(await files.claim(claimOf(row, { now: 4999 }))).toBeDefined();
});

test("a link counts as a file and needs no bytes; an upload needs both", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  expect(await files.insert(direct({ size: 90 }), { maxFiles: 3, maxBytes: 100 })).toBe(true);
  expect(await files.insert(direct({ size: 11 }), { maxFiles: 3, maxBytes: 100 })).toBe(false);
  expect(await files.insert(link(), { maxFiles: 3, maxBytes: 50 })).toBe(true);
  expect(await files.insert(direct({ size: 10 }), { maxFiles: 3, maxBytes: 100 })).toBe(true);
  expect(await files.insert(link(), { maxFiles: 3, maxBytes: 1000 })).toBe(false);
  expect(await files.insert(link({ ownerId: "another" }), { maxFiles: 3, maxBytes: 1000 })).toBe(true);
  expect(await files.usage(owner)).toEqual({ files: 3, bytes: 100 });
  expect(await files.usage("nobody")).toEqual({ files: 0, bytes: 0 });
});

test("a reservation grows up to the quota and no further, beside the owner's other files", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  await readyFile(files);
  const row = direct({ size: 5 });
  await files.insert(row, roomy);
  expect(await files.reserve(row.id, 90, 100)).toBe(true);
  expect(await files.reserve(row.id, 91, 100)).toBe(false);
  expect(await files.reserve(row.id, 20, 100)).toBe(true);
  expect(await files.usage(owner)).toEqual({ files: 2, bytes: 100 });
  await files.finish(row, arrived("x".repeat(30)), undefined);
  expect(await files.usage(owner)).toEqual({ files: 2, bytes: 40 });
  expect(await files.reserve(row.id, 31, 100)).toBe(false);
});

test("a cut upload reserves nothing, and its link can be claimed again", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  await files.claim(claimOf(row, { size: 70, uploadKey: "upload" }));
  expect(await files.release([row.id])).toEqual(["upload"]);
  expect(await files.usage(owner)).toEqual({ files: 1, bytes: 0 });
  const empty = { name: null, size: 0, contentType: null, uploadKey: null, length: null, resumeUntil: null };
  expect(await files.find(row.id)).toMatchObject({ state: "pending", ...empty });
  expect(await files.findByUpload("upload")).toBeUndefined();
  expect(await files.claim(claimOf(row))).toBeDefined();
});

test("a cut upload without a link leaves no row, and a ready file can't be released", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = direct();
  await files.insert(row, roomy);
  expect(await files.release([row.id])).toEqual([row.uploadKey ?? ""]);
  expect(await files.find(row.id)).toBeUndefined();
  const ready = await readyFile(files);
  expect(await files.release([ready.id])).toEqual([]);
  expect(await files.find(ready.id)).toMatchObject({ state: "ready" });
});

test("an upload that was heard of again meanwhile is not released as silent", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [silent, alive] = [direct({ createdAt: 1000 }), direct({ createdAt: 1000 })];
  for (const row of [silent, alive]) await files.insert(row, roomy);
  await files.touch([alive.id], 4000, 0);
  expect(await files.release([silent.id, alive.id], 4000)).toEqual([silent.uploadKey ?? ""]);
  expect(await files.find(alive.id)).toMatchObject({ state: "uploading" });
});

test("a file becomes ready together with what is owed for it, or neither happens", async () => {
  await using opened = await openTestStore();
  const { files, announcements, blobs } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  const early = { id: row.id, uploadKey: "early" };
  expect(await files.finish(early, arrived(), announcementOf(row))).toBe("withdrawn");
  expect(await announcements.due(1e9, 10)).toEqual([]);
  expect(await blobs.find("early")).toBeUndefined();

  const announcement = announcementOf(row);
  await files.finish(rowOf(await files.claim(claimOf(row))), arrived(), announcement);
  expect(await announcements.due(3000, 10)).toEqual([{ announcement, attempts: 0 }]);

  const second = link();
  await files.insert(second, roomy);
  const claimed = rowOf(await files.claim(claimOf(second)));
  const taken = { ...announcementOf(second), id: announcement.id };
  await expect(files.finish(claimed, arrived("other bytes"), taken)).rejects.toMatchObject({
    code: "database.failed",
  });
  expect(await files.find(second.id)).toMatchObject({ state: "uploading" });
  expect(await blobs.find(claimed.uploadKey ?? "")).toBeUndefined();
});

test("an upload whose link was given back can't finish the one that has it now", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  const first = rowOf(await files.claim(claimOf(row)));
  await files.release([row.id]);
  const second = rowOf(await files.claim(claimOf(row)));
  expect(await files.finish(first, arrived("first"), undefined)).toBe("withdrawn");
  expect(await files.finish(second, arrived("second"), undefined)).toMatchObject({
    state: "ready",
    blobKey: second.uploadKey,
    size: 6,
  });
});

test("an upload's length is announced once", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = direct();
  await files.insert(row, roomy);
  expect(await files.announce(row.id, 10)).toBe(true);
  expect(await files.announce(row.id, 11)).toBe(false);
  expect(await files.find(row.id)).toMatchObject({ length: 10 });
  const ready = await readyFile(files);
  expect(await files.announce(ready.id, 10)).toBe(false);
});

test("what is owed for a file goes with it", async () => {
  await using opened = await openTestStore();
  const { files, announcements } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  await files.finish(rowOf(await files.claim(claimOf(row))), arrived(), announcementOf(row));
  await files.markDeleting(row.id);
  await files.remove([row.id], 4000);
  expect(await announcements.nextDueAt()).toBeUndefined();
});

test("a listing is newest first and complete, though rows go between its pages", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const rows = [];
  // Three rows a millisecond: equal times must not lose or repeat any.
  for (let i = 0; i < 30; i += 1) rows.push(await readyFile(files, { createdAt: Math.floor(i / 3) }));
  const newest = rows
    .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);

  const seen: string[] = [];
  let after: FileRow | undefined;
  do {
    const page = await files.list({ limit: 4, ...(after && { after }) });
    seen.push(...page.map(({ id }) => id));
    after = page.at(-1);
    if (!after) break;
    await files.markDeleting(after.id);
    await files.remove([after.id], 1);
  } while (after);
  expect(seen).toEqual(newest);
});

test("a listing can be of one owner and of some states", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const mine = await readyFile(files);
  const open = link();
  await files.insert(open, roomy);
  const other = await readyFile(files, { ownerId: "another" });
  const ids = async (input: Omit<Parameters<FileIndex["list"]>[0], "limit">) =>
    (await files.list({ ...input, limit: 10 })).map(({ id }) => id).toSorted();

  expect(await ids({})).toEqual([mine.id, open.id, other.id].toSorted());
  expect(await ids({ ownerId: owner })).toEqual([mine.id, open.id].toSorted());
  expect(await ids({ states: ["ready"] })).toEqual([mine.id, other.id].toSorted());
  expect(await ids({ ownerId: owner, states: ["ready", "deleting"] })).toEqual([mine.id]);
  expect(await ids({ ownerId: owner, states: ["deleting", "pending"] })).toEqual([open.id]);
  expect(await ids({ states: [] })).toEqual([]);
});

test("what has expired is marked once, at most as many as asked, and counts until it is removed", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [first, second] = [await readyFile(files), await readyFile(files)];
  const open = link();
  await files.insert(open, roomy);
  await files.insert(link({ linkExpiresAt: 9001 }), roomy);
  const sending = link();
  await files.insert(sending, roomy);
  await files.claim(claimOf(sending));

  expect(await files.markExpired(4999, 10)).toEqual([]);
  const marked = [...(await files.markExpired(9000, 2)), ...(await files.markExpired(9000, 2))];
  expect(marked.map(({ id }) => id).toSorted()).toEqual([first.id, second.id, open.id].toSorted());
  expect(marked.every(({ state }) => state === "deleting")).toBe(true);
  expect(await files.markExpired(9000, 2)).toEqual([]);
  expect((await files.deleting(10)).map(({ id }) => id).toSorted()).toEqual(
    marked.map(({ id }) => id).toSorted(),
  );
  expect((await files.usage(owner)).files).toBe(5);
  await files.remove(
    marked.map(({ id }) => id),
    9000,
  );
  expect(await files.usage(owner)).toEqual({ files: 2, bytes: 10 });
});

test("only a ready file's expiry can be set, and what is being sent can't be deleted", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [ready, open, sending] = [await readyFile(files), link(), direct()];
  await files.insert(open, roomy);
  await files.insert(sending, roomy);
  expect(await files.setExpiry(ready.id, 77)).toBe(true);
  expect(await files.setExpiry(open.id, 77)).toBe(false);
  expect(await files.setExpiry(sending.id, 77)).toBe(false);
  expect(await files.find(ready.id)).toMatchObject({ expiresAt: 77 });

  expect(await files.markDeleting(sending.id)).toBe(false);
  expect(await files.markDeleting(sending.id, 1000)).toBe(false);
  expect(await files.markDeleting(open.id)).toBe(true);
  expect(await files.markDeleting(ready.id)).toBe(true);
  expect(await files.markDeleting(ready.id)).toBe(false);
  expect(await files.markDeleting("unknown")).toBe(false);
});

test("an upload that has been silent is deleted with what has arrived, and its sender is told", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  const { uploadKey, ...claimed } = rowOf(await files.claim(claimOf(row)));
  expect(await files.markDeleting(row.id, 2000)).toBe(false);
  expect(await files.markDeleting(row.id, 2001)).toBe(true);
  expect(await files.finish({ ...claimed, uploadKey }, arrived(), undefined)).toBe("withdrawn");
  expect(await files.retire([row.id])).toEqual([{ id: row.id, key: uploadKey ?? "", place: "disk" }]);
  await files.remove([row.id], 4000);
  expect(await files.findByTicket(row.ticketHash)).toMatchObject({ outcome: "expired", at: 4000 });
  expect(await files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("an owner's next expiry is never one that has passed", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  expect(await files.nextExpiry(owner, 1)).toBeUndefined();
  const [first, second] = [await readyFile(files), await readyFile(files)];
  await files.setExpiry(first.id, 5000);
  await files.setExpiry(second.id, 7000);
  expect(await files.nextExpiry(owner, 4999)).toBe(5000);
  expect(await files.nextExpiry(owner, 5000)).toBe(7000);
  // They go with the next clean-up.
  expect(await files.nextExpiry(owner, 8000)).toBe(8000);
});

test("a link's tombstone says what became of it; a file that came without one leaves none", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [used, unused, takenBack] = [link(), link(), link()];
  for (const row of [used, unused, takenBack]) await files.insert(row, roomy);
  await files.finish(rowOf(await files.claim(claimOf(used))), arrived(), undefined);
  const unlinked = await readyFile(files);
  await files.markDeleting(takenBack.id);
  await files.remove([takenBack.id], 4000);
  await files.markExpired(20_000, 10);
  await files.remove(
    [used, unused, unlinked].map(({ id }) => id),
    20_000,
  );

  expect(await files.findByTicket(used.ticketHash)).toEqual({ outcome: "used", fileId: used.id, at: 20_000 });
  expect(await files.findByTicket(unused.ticketHash)).toEqual({
    outcome: "expired",
    fileId: unused.id,
    at: 5000,
  });
  expect(await files.findByTicket(takenBack.ticketHash)).toMatchObject({ outcome: "expired", at: 4000 });
  expect(await files.find(unlinked.id)).toBeUndefined();
  expect(await files.dropTombstones(1e9, 2)).toBe(2);
  expect(await files.dropTombstones(1e9, 2)).toBe(1);
  expect(await files.findByTicket(used.ticketHash)).toBeUndefined();
});

test("tombstones are dropped by age", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  await files.markDeleting(row.id);
  await files.remove([row.id], 4000);
  expect(await files.dropTombstones(4000, 10)).toBe(0);
  expect(await files.dropTombstones(4001, 10)).toBe(1);
});

test("only a row that is going can be removed", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = await readyFile(files);
  await files.remove([row.id], 1);
  expect(await files.find(row.id)).toMatchObject({ state: "ready" });
});

test("an upload is abandoned when its heartbeat is old, and its sender can't go on with it", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [sending, added, cut, open] = [link(), direct({ createdAt: 1500 }), link(), link()];
  for (const row of [sending, added, cut, open]) await files.insert(row, roomy);
  await files.claim(claimOf(sending, { now: 2000 }));
  await files.claim(claimOf(cut, { now: 1100, resumeUntil: 6000 }));
  const ids = async (before: number, now = before) =>
    (await files.abandoned(before, now, 10)).map(({ id }) => id).toSorted();

  expect(await ids(1500)).toEqual([]);
  expect(await ids(1501)).toEqual([added.id]);
  expect(await ids(2001)).toEqual([sending.id, added.id].toSorted());
  expect(await ids(2001, 6000)).toEqual([sending.id, added.id, cut.id].toSorted());
  expect(await files.abandoned(2001, 2001, 1)).toHaveLength(1);
  await files.touch([sending.id, added.id, cut.id, open.id], 8000, 500);
  expect(await ids(8000)).toEqual([]);
  expect(await files.find(cut.id)).toMatchObject({ resumeUntil: 8500 });
  // What could not be gone on with can't be so by a heartbeat.
  expect(await files.find(sending.id)).toMatchObject({ resumeUntil: null });
  await files.touch([], 9000, 500);
  expect(await ids(8001)).toEqual([sending.id, added.id].toSorted());
});

test("sizes and times beyond 32 bits come back as they went in", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const row = direct({ size: 5e12, length: 5e12, createdAt: 1.8e12 });
  await files.insert(row, { maxFiles: 5, maxBytes: 6e12 });
  expect(await files.find(row.id)).toMatchObject({ size: 5e12, length: 5e12, createdAt: 1.8e12 });
  expect(await files.insert(direct({ size: 1e12 + 1 }), { maxFiles: 5, maxBytes: 6e12 })).toBe(false);
  const large = { size: 5e12, crc32: 2 ** 32 - 1, readyAt: 1.8e12, expiresAt: 8.64e15 };
  await files.finish(row, arrived("", large), undefined);
  expect(await files.find(row.id)).toMatchObject({ size: 5e12, expiresAt: 8.64e15 });
  expect(await blobs.find(row.uploadKey ?? "")).toMatchObject({ size: 5e12, crc32: 2 ** 32 - 1 });
});
