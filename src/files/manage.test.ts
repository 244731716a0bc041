import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { direct } from "../store/rows.fixture.ts";
import { codeOf, incoming, openTestDesk, slowBody, type TestDesk, ticketIn } from "../testing/file-desk.ts";
import { append, appendBody, begin, cutAfter, newTicket, owner } from "../testing/resumable.ts";
import { DEAD_AFTER } from "./live-uploads.ts";

const DAY = 86_400_000;
const ada = (id = owner, moderator = false) => ({
  id,
  name: "ada",
  asker: { guildId: null, roleIds: [] },
  moderator,
});

async function shareBundle(desk: TestDesk, members: number, ownerId = owner) {
  const link = await desk.files.issue({ ownerId });
  await desk.files.prepare(ticketIn(link), { files: members });
  for (let nth = 0; nth < members; nth += 1) {
    await desk.files.upload(ticketIn(link), incoming({ name: `${nth}.txt`, text: `${nth}` }));
  }
  return await desk.files.get(link.fileId);
}

const storyOf = async (desk: TestDesk, fileId: string) =>
  (await desk.files.audit({ fileId, limit: 100 })).map(({ action, who }) => [action, who]);

test("extending never takes time away", async () => {
  await using desk = await openTestDesk();
  const { files, clock } = desk;
  const long = await files.add({ ownerId: owner, expireAfter: 20 * DAY }, incoming());
  const kept = await files.add({ ownerId: owner }, incoming());
  await files.extend(kept.id, "admin", 100 * DAY);
  clock.now += DAY;
  // What its sender asked for counts from now.
  expect((await files.extend(long.id, ada())).expiresAt).toBe(clock.now + 20 * DAY);
  const { expiresAt } = await files.get(kept.id);
  expect((await files.extend(kept.id, ada())).expiresAt).toBe(expiresAt);
  expect((await files.get(kept.id)).expiresAt).toBe(expiresAt);
  expect(await storyOf(desk, kept.id)).toEqual([
    ["extended", "admin"],
    ["uploaded", owner],
  ]);
});

test("an admin who says how long is taken at their word, also for less", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: owner }, incoming());
  expect((await desk.files.extend(file.id, "admin", 1000)).expiresAt).toBe(desk.clock.now + 1000);
  expect((await desk.files.extend(file.id, "admin", 90 * DAY)).expiresAt).toBe(desk.clock.now + 90 * DAY);
});

test("a file whose bytes will not go is gone for everybody, with who deleted it; the clean-up takes the rest", async () => {
  let broken = true;
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) => ({
      ...blobs,
      async delete(key) {
        if (broken) throw new WisError("disk.failed", { say: "The disk does not answer." });
        await blobs.delete(key);
      },
    }),
  });
  const file = await desk.files.add({ ownerId: owner }, incoming());
  await desk.files.remove(file.id, ada());
  expect(await codeOf(desk.files.get(file.id))).toBe("file.unknown");
  expect(await storyOf(desk, file.id)).toEqual([
    ["deleted", owner],
    ["uploaded", owner],
  ]);
  expect(desk.lines().filter(({ level }) => level === "error")).toHaveLength(1);

  broken = false;
  expect(await desk.cleanUp()).toMatchObject({ failed: 0 });
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a database that fails after a file was marked still knows who deleted it", async () => {
  await using desk = await openTestDesk({
    wrapIndex: (index) => ({ ...index, retire: () => Promise.reject(new Error("the database is gone")) }),
  });
  const file = await desk.files.add({ ownerId: owner }, incoming());
  await desk.files.remove(file.id, "admin");
  expect(await storyOf(desk, file.id)).toContainEqual(["deleted", "admin"]);
});

test("a bundle's files are deleted side by side", async () => {
  let deleting = 0;
  let most = 0;
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) => ({
      ...blobs,
      async delete(key) {
        deleting += 1;
        most = Math.max(most, deleting);
        await blobs.delete(key);
        deleting -= 1;
      },
    }),
  });
  const bundle = await shareBundle(desk, 40);
  most = 0;
  await desk.files.remove(bundle.id, "admin");
  expect(most).toBeGreaterThan(10);
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  expect(await Array.fromAsync(desk.files.list({}))).toEqual([]);
});

test("an upload that was cut is its owner's to delete at once, bytes and link; others may not", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 1000 } });
  const link = await desk.files.issue({ ownerId: owner });
  const { key } = await begin(desk, ticketIn(link), 1000);
  await cutAfter(desk, key, 0, "hello");
  expect(await codeOf(desk.files.remove(link.fileId, ada("2")))).toBe("forbidden");
  await desk.files.remove(link.fileId, ada());
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  expect(await desk.blobs.sweep(() => false)).toBe(0);
  expect(await codeOf(append(desk, key, 5, "world"))).toBe("upload.unknown");
  expect(await desk.files.inspect(ticketIn(link))).toMatchObject({ state: "expired" });
});

test("what is really being sent can't be deleted", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const { key } = await begin(desk, ticketIn(link), 5);
  const sender = slowBody();
  const going = appendBody(desk, key, sender.body);
  await sender.wanted();
  // Even when a clock has jumped.
  desk.clock.now += DEAD_AFTER * 2;
  expect(await codeOf(desk.files.remove(link.fileId, "admin"))).toBe("ticket.busy");
  sender.send("hello");
  sender.end();
  await going;
  await desk.files.remove(link.fileId, "admin");
});

test("what another process is sending is deleted only when that has fallen silent", async () => {
  await using desk = await openTestDesk();
  const row = direct({ ownerId: owner, size: 1000, createdAt: desk.clock.now });
  await desk.store.files.insert(row, desk.files.limits(owner, null));
  desk.clock.now += DEAD_AFTER;
  expect(await codeOf(desk.files.remove(row.id, "admin"))).toBe("ticket.busy");
  desk.clock.now += 1;
  await desk.files.remove(row.id, "admin");
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("beside the process that receives, an upload through a link is deleted only when it has fallen silent", async () => {
  await using desk = await openTestDesk({ locked: false });
  const link = await desk.files.issue({ ownerId: owner });
  await begin(desk, ticketIn(link), 5);
  expect(await codeOf(desk.files.remove(link.fileId, "admin"))).toBe("ticket.busy");
  desk.clock.now += DEAD_AFTER + 1;
  await desk.files.remove(link.fileId, "admin");
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a cut file of an open bundle can be taken away, and another sent in its place", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  await desk.files.prepare(ticket, { files: 2 });
  const { key } = await begin(desk, ticket, 5, "a.txt");
  await desk.files.remove((await desk.store.files.findByUpload(key))?.id ?? "", ada());
  for (const name of ["b.txt", "c.txt"]) await desk.files.upload(ticket, incoming({ name, text: name }));
  expect(await desk.files.inspect(ticket)).toMatchObject({ state: "used", file: { members: 2 } });
});
