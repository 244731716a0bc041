import { expect, test } from "bun:test";
import type { Announcement } from "../announce/ports.ts";
import type { FileIndex, FileRow } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";
import {
  arrived,
  claimOf,
  joinOf,
  link,
  noWishes,
  openBundle,
  owner,
  readyFile,
  roomy,
  rowOf,
} from "./rows.fixture.ts";

type Bundle = Awaited<ReturnType<typeof openBundle>>;

/** A member that is here, with bytes of its own. */
async function memberOf(files: FileIndex, bundle: Bundle, path: string): Promise<FileRow> {
  const joined = rowOf(await files.join(joinOf(bundle, { path, name: path })));
  return rowOf(await files.finish(joined, arrived(path), undefined));
}

const sealedWith = (members: number, given: Partial<Parameters<FileIndex["seal"]>[1]> = {}) => ({
  name: "all.zip",
  sha256: "c".repeat(64),
  members,
  bytes: 10,
  readyAt: 4000,
  expiresAt: 20_000,
  ...given,
});

const announcementOf = ({ id, ownerId }: Pick<FileRow, "id" | "ownerId">): Announcement => ({
  id: newCapability(),
  kind: "upload.finished",
  fileId: id,
  ownerId,
  origin: null,
  createdAt: 4000,
});

test("a link becomes a bundle when more than one file is announced, and keeps what its sender wishes", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link();
  await files.insert(row, roomy);
  const wishes = {
    title: "Holiday",
    note: "Two\nlines",
    passwordHash: "h",
    maxDownloads: 3,
    expireAfter: 99,
  };
  expect(await files.prepare(row.ticketHash, { expected: 2, wishes }, 4999)).toBe(true);
  expect(await files.find(row.id)).toMatchObject({ state: "pending", expected: 2, ...wishes });
  expect(await files.prepare(row.ticketHash, { expected: null, wishes: noWishes }, 4999)).toBe(true);
  expect(await files.find(row.id)).toMatchObject({ expected: null, ...noWishes });

  expect(await files.prepare(row.ticketHash, { expected: 2, wishes }, 5000)).toBe(false);
  expect(await files.prepare("unknown", { expected: 2, wishes }, 1)).toBe(false);
  await files.finish(rowOf(await files.claim(claimOf(row))), arrived(), undefined);
  expect(await files.prepare(row.ticketHash, { expected: 2, wishes }, 4999)).toBe(false);
});

test("a bundle never waits for fewer files than it has", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 5);
  await memberOf(files, bundle, "a");
  await memberOf(files, bundle, "b");
  const expectedOf = async (expected: number | null) => {
    await files.prepare(bundle.ticketHash, { expected, wishes: noWishes }, 1000);
    return (await files.find(bundle.id))?.expected;
  };
  expect(await expectedOf(3)).toBe(3);
  expect(await expectedOf(1)).toBe(2);
  expect(await expectedOf(null)).toBe(2);
});

test("a bundle's link takes no file for itself, and a plain link no members", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [bundle, plain] = [await openBundle(files, 2), link()];
  await files.insert(plain, roomy);
  expect(await files.claim(claimOf(bundle))).toBeUndefined();
  expect(await files.join(joinOf(plain))).toBeUndefined();
  expect(await files.join(joinOf(bundle, { now: 5000 }))).toBeUndefined();
  expect(await files.join(joinOf(bundle, { now: 4999 }))).toBeDefined();
});

test("a member belongs to its bundle's owner, under whose limits it came, and counts its bytes for them", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const asker = { guildId: "1", roleIds: ["2"] };
  const bundle = await openBundle(files, 2, { asker, origin: null });
  const joining = joinOf(bundle, { path: "folder/a.bin", resumeUntil: 7000 });
  const member = rowOf(await files.join(joining));
  expect(member).toMatchObject({
    id: joining.id,
    ownerId: owner,
    asker,
    state: "uploading",
    parentId: bundle.id,
    path: "folder/a.bin",
    size: 10,
    uploadKey: joining.uploadKey,
    resumeUntil: 7000,
    linkExpiresAt: null,
  });
  expect(await files.findByUpload(joining.uploadKey)).toEqual(member);
  expect(await files.usage(owner)).toEqual({ files: 1, bytes: 10 });
  // Cut, it leaves its place to another.
  expect(await files.release([member.id])).toEqual([joining.uploadKey]);
  expect(await files.find(member.id)).toBeUndefined();
  expect(await files.usage(owner)).toEqual({ files: 1, bytes: 0 });
});

test("a bundle's files come in the order of their paths, with what is known of their bytes", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 4);
  for (const path of ["b/2", "a", "b/1"]) await memberOf(files, bundle, path);
  await files.join(joinOf(bundle, { path: "c" }));
  await readyFile(files);
  const members = await files.members(bundle.id);
  expect(
    members.map(({ row, blob }) => [row.path, blob?.key === row.blobKey ? blob?.size : undefined]),
  ).toEqual([
    ["a", 1],
    ["b/1", 3],
    ["b/2", 3],
    ["c", undefined],
  ]);
});

test("a bundle is sealed with exactly the files that are here, and with no other number", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 3);
  await memberOf(files, bundle, "a");
  const second = rowOf(await files.join(joinOf(bundle, { path: "b" })));
  for (const members of [0, 1, 2, 3]) {
    expect(await files.seal(bundle.id, sealedWith(members), undefined)).toBeUndefined();
  }
  await files.finish(second, arrived("b"), undefined);
  for (const members of [1, 3]) {
    expect(await files.seal(bundle.id, sealedWith(members), undefined)).toBeUndefined();
  }
  expect(await files.find(bundle.id)).toMatchObject({ state: "pending" });
  expect(await files.seal(bundle.id, sealedWith(2), undefined)).toMatchObject({
    state: "ready",
    name: "all.zip",
    contentType: "application/zip",
    expected: 2,
    size: 0,
    bundleBytes: 10,
    blobKey: null,
  });
});

test("a bundle is sealed by one of a hundred at once, together with what is owed for it, and then takes no more", async () => {
  await using opened = await openTestStore();
  const { files, announcements } = opened.store;
  const bundle = await openBundle(files, 3);
  const members = [await memberOf(files, bundle, "a"), await memberOf(files, bundle, "b")];
  const seals = Array.from({ length: 100 }, () =>
    files.seal(bundle.id, sealedWith(2), announcementOf(bundle)),
  );
  expect((await Promise.all(seals)).filter(Boolean)).toHaveLength(1);
  expect(await announcements.due(1e9, 10)).toHaveLength(1);
  expect(await files.join(joinOf(bundle, { path: "c" }))).toBeUndefined();
  // Its files end when it does.
  for (const { id } of members) expect(await files.find(id)).toMatchObject({ expiresAt: 20_000 });
});

test("a file that joins while a bundle is sealed is in it or is refused, but never lost", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  for (let round = 0; round < 20; round += 1) {
    const bundle = await openBundle(files, 3);
    await memberOf(files, bundle, "a");
    await memberOf(files, bundle, "b");
    const both = [
      () => files.seal(bundle.id, sealedWith(2), undefined),
      () => files.join(joinOf(bundle, { path: "c" })),
    ];
    const outcome = await Promise.all((round % 2 ? both : both.toReversed()).map((begin) => begin()));
    expect(outcome.filter(Boolean)).toHaveLength(1);
  }
});

test("a bundle of one file is that file, under the link's own address", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const bundle = await openBundle(files, 2);
  const member = await memberOf(files, bundle, "a");
  const file = { memberId: member.id, readyAt: 4000, expiresAt: 20_000 };
  const second = rowOf(await files.join(joinOf(bundle, { path: "b" })));
  expect(await files.unwrap(bundle.id, file, undefined)).toBeUndefined();
  await files.release([second.id]);
  expect(await files.unwrap(bundle.id, { ...file, memberId: "another" }, undefined)).toBeUndefined();
  expect(await files.unwrap(bundle.id, file, announcementOf(bundle))).toMatchObject({
    id: bundle.id,
    state: "ready",
    expected: null,
    size: 1,
    blobKey: member.blobKey,
    uploadKey: member.uploadKey,
    expiresAt: 20_000,
  });
  expect(await files.find(member.id)).toBeUndefined();
  expect((await blobs.users(member.blobKey ?? "")).map(({ id }) => id)).toEqual([bundle.id]);
  expect(await opened.store.announcements.due(1e9, 10)).toHaveLength(1);
});

test("a bundle that is deleted takes all of its files along, and those on their way are withdrawn", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  const bundle = await openBundle(files, 3);
  const here = await memberOf(files, bundle, "a");
  const coming = rowOf(await files.join(joinOf(bundle, { path: "b" })));
  expect(await files.markDeleting(bundle.id)).toBe(true);
  expect(await files.finish(coming, arrived("b"), undefined)).toBe("withdrawn");

  const ids = (await files.deleting(10)).map(({ id }) => id);
  expect(ids.toSorted()).toEqual([here.id, coming.id].toSorted());
  const retired = await files.retire(ids);
  expect(retired.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
    [here, coming]
      .map(({ id, uploadKey }) => ({ id, key: uploadKey ?? "", place: "disk" as const }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  await files.remove(ids, 6000);
  expect(await blobs.find(here.blobKey ?? "")).toBeUndefined();
  expect(await files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  expect(await files.findByTicket(bundle.ticketHash)).toMatchObject({
    fileId: bundle.id,
    outcome: "expired",
  });
});

test("one file can be taken from an open bundle, and from one that is shared not", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 3);
  const [first, second, wrong] = [
    await memberOf(files, bundle, "a"),
    await memberOf(files, bundle, "b"),
    await memberOf(files, bundle, "wrong"),
  ];
  expect(await files.markDeleting(wrong.id)).toBe(true);
  expect(await files.seal(bundle.id, sealedWith(2), undefined)).toBeUndefined();
  await files.retire([wrong.id]);
  await files.remove([wrong.id], 1);
  expect(await files.seal(bundle.id, sealedWith(2), undefined)).toBeDefined();
  for (const { id } of [first, second]) expect(await files.markDeleting(id)).toBe(false);
});

test("files of one path are found, and whether a bundle has all that it waits for", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [bundle, other] = [await openBundle(files, 3), await openBundle(files, 3)];
  const first = await memberOf(files, bundle, "a");
  const second = rowOf(await files.join(joinOf(bundle, { path: "a" })));
  await memberOf(files, bundle, "b");
  await memberOf(files, other, "a");
  const found = (await files.membersAt(bundle.id, "a")).map(({ id }) => id);
  expect(found.toSorted()).toEqual([first.id, second.id].toSorted());
  expect(await files.isWhole(bundle.id)).toBe(false);
  await files.finish(second, arrived("again"), undefined);
  expect(await files.isWhole(bundle.id)).toBe(true);
  await files.seal(bundle.id, sealedWith(3), undefined);
  expect(await files.isWhole(bundle.id)).toBe(false);
});

test("a bundle's files expire and are extended with it, and not by themselves", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 2);
  const members = [await memberOf(files, bundle, "a"), await memberOf(files, bundle, "b")];
  // Theirs ends at 9000; nobody knows yet when the bundle's will.
  expect(await files.markExpired(9000, 10)).toEqual([]);
  await files.seal(bundle.id, sealedWith(2), undefined);
  expect(await files.setExpiry(members[0]?.id ?? "", 30_000)).toBe(false);
  expect(await files.setExpiry(bundle.id, 30_000)).toBe(true);
  for (const { id } of members) expect(await files.find(id)).toMatchObject({ expiresAt: 30_000 });
  expect(await files.markExpired(29_999, 10)).toEqual([]);
  expect((await files.markExpired(30_000, 10)).map(({ id }) => id)).toEqual([bundle.id]);
  expect((await files.markMembers(10)).map(({ id }) => id).toSorted()).toEqual(
    members.map(({ id }) => id).toSorted(),
  );
});

test("the files of a bundle that goes are marked some at a time, and the bundle goes with the last of them", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 3);
  for (const path of ["a", "b", "c"]) await memberOf(files, bundle, path);
  await files.seal(bundle.id, sealedWith(3), undefined);
  expect(await files.markMembers(10)).toEqual([]);
  await files.markExpired(30_000, 10);

  // A bundle with files is not to be erased itself, and is not removed by who tries.
  expect(await files.deleting(10)).toEqual([]);
  await files.remove([bundle.id], 30_000);
  expect(await files.find(bundle.id)).toMatchObject({ state: "deleting" });
  const first = await files.markMembers(2);
  expect(first.map(({ state, parentId }) => [state, parentId])).toEqual([
    ["deleting", bundle.id],
    ["deleting", bundle.id],
  ]);
  await files.remove(
    first.map(({ id }) => id),
    30_000,
  );
  expect(await files.find(bundle.id)).toBeDefined();
  const last = await files.markMembers(2);
  expect(last).toHaveLength(1);
  expect(await files.markMembers(2)).toEqual([]);
  await files.remove([bundle.id, ...last.map(({ id }) => id)], 30_000);
  expect(await files.find(bundle.id)).toBeUndefined();
  expect(await files.findByTicket(bundle.ticketHash)).toMatchObject({ outcome: "used", at: 30_000 });
  expect(await files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("an open bundle stays when the last of its files is taken away", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 2);
  const { id } = await memberOf(files, bundle, "a");
  expect(await files.markDeleting(id)).toBe(true);
  await files.remove([id], 4000);
  expect(await files.find(bundle.id)).toMatchObject({ state: "pending" });
});

test("what has arrived for a bundle outlives its link: it is found to be sealed", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [empty, begun, partly, whole] = [
    await openBundle(files, 2),
    await openBundle(files, 2),
    await openBundle(files, 2),
    await openBundle(files, 1),
  ];
  await files.join(joinOf(begun));
  await memberOf(files, partly, "a");
  await memberOf(files, whole, "b");
  const ids = async (now: number) => (await files.overdueBundles(now, 10)).map(({ id }) => id).toSorted();
  expect(await ids(4999)).toEqual([whole.id]);
  expect(await ids(5000)).toEqual([partly.id, whole.id].toSorted());
  expect(await files.overdueBundles(5000, 1)).toHaveLength(1);

  // Of the one that is only begun, the upload is abandoned first: then it has nothing to be kept for.
  expect((await files.markExpired(5000, 10)).map(({ id }) => id)).toEqual([empty.id]);
  const [dead] = await files.abandoned(5000, 5000, 10);
  expect(dead).toMatchObject({ parentId: begun.id });
  await files.release([dead?.id ?? ""]);
  expect((await files.markExpired(5000, 10)).map(({ id }) => id)).toEqual([begun.id]);
});

test("a bundle's link lives as long as one of its files can be gone on with", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const [bundle, other] = [await openBundle(files, 2), await openBundle(files, 2)];
  const member = rowOf(await files.join(joinOf(bundle, { resumeUntil: 6000 })));
  await files.touch([member.id], 4000, 3000);
  expect(await files.find(member.id)).toMatchObject({ resumeUntil: 7000 });
  expect(await files.find(bundle.id)).toMatchObject({ linkExpiresAt: 7000 });
  expect(await files.find(other.id)).toMatchObject({ linkExpiresAt: 5000 });
  await files.touch([member.id], 4000, 1);
  expect(await files.find(bundle.id)).toMatchObject({ linkExpiresAt: 7000 });
});

test("a listing shows a bundle as one, and its files only to who asks for them", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 2);
  const member = await memberOf(files, bundle, "a");
  const ids = async (members: boolean) =>
    (await files.list({ ownerId: owner, members, limit: 10 })).map(({ id }) => id).toSorted();
  expect(await ids(false)).toEqual([bundle.id]);
  expect(await ids(true)).toEqual([bundle.id, member.id].toSorted());
});
