import { expect, test } from "bun:test";
import type { Origin } from "../announce/ports.ts";
import { incoming, openTestDesk, ticketIn } from "../testing/file-desk.ts";

const owner = "111111111111111111";
const member = (id: string, moderator = false) => ({
  id,
  name: "somebody",
  asker: { guildId: null, roleIds: [] },
  moderator,
});
const origin: Origin = {
  guildId: "1",
  channelId: "2",
  private: false,
  applicationId: "3",
  interactionToken: "token",
  interactionAt: 0,
};

test("a link takes one file, and its bytes come back", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const sent = await desk.files.upload(ticketIn(link), incoming({ text: "hello", name: "../hëllo.txt" }));

  expect(sent).toMatchObject({
    id: link.fileId,
    ownerId: owner,
    name: "hëllo.txt",
    size: 5,
    contentType: "text/plain;charset=utf-8",
    sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    readyAt: desk.clock.now,
    expiresAt: desk.clock.now + 7 * 86_400_000,
    url: `http://wisbot.test/f/${link.fileId}`,
  });
  expect(await desk.files.get(sent.id)).toEqual(sent);
  expect(await (await desk.files.open(sent)).text()).toBe("hello");
  expect(await (await desk.files.open(sent, { start: 1, end: 3 })).text()).toBe("ell");
});

test("an empty file is a file", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "admin" }, incoming({ text: "" }));
  expect(file.size).toBe(0);
  expect(await (await desk.files.open(file)).text()).toBe("");
});

test("links and files carry 128 random bits, and the ticket is not the file's id", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  expect(ticketIn(link)).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(link.fileId).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(ticketIn(link)).not.toBe(link.fileId);
});

test("a ticket says what it is: open, busy, used, expired or unknown", async () => {
  await using desk = await openTestDesk();
  const { files, clock } = desk;
  const link = await files.issue({ ownerId: owner });
  const ticket = ticketIn(link);
  expect(await files.inspect(ticket)).toMatchObject({
    state: "open",
    expiresAt: link.expiresAt,
    usage: { files: 1, bytes: 0 },
  });

  const stalled = new AbortController();
  const started = Promise.withResolvers<void>();
  const body = new ReadableStream({ pull: () => started.resolve() }, { highWaterMark: 0 });
  const upload = files.upload(ticket, incoming({ body, length: 5, signal: stalled.signal }));
  await started.promise;
  expect(await files.inspect(ticket)).toEqual({ state: "busy" });
  await expect(files.upload(ticket, incoming())).rejects.toMatchObject({ code: "ticket.busy" });
  stalled.abort();
  await expect(upload).rejects.toMatchObject({ code: "upload.cut" });
  await Promise.allSettled([upload]);

  const file = await files.upload(ticket, incoming());
  expect(await files.inspect(ticket)).toEqual({ state: "used", file });
  await expect(files.upload(ticket, incoming())).rejects.toMatchObject({ code: "ticket.used" });

  const unused = await files.issue({ ownerId: owner });
  clock.now = unused.expiresAt;
  expect(await files.inspect(ticketIn(unused))).toEqual({ state: "expired", at: unused.expiresAt });
  await expect(files.upload(ticketIn(unused), incoming())).rejects.toMatchObject({ code: "ticket.expired" });
});

test.each([
  "",
  "short",
  "../../etc/passwd",
  "%2e%2e%2f",
  "a".repeat(65),
  `${"a".repeat(22)}\0`,
  "x".repeat(22),
])("%j is no ticket and no file", async (nonsense) => {
  await using desk = await openTestDesk();
  await expect(desk.files.inspect(nonsense)).rejects.toMatchObject({ code: "ticket.unknown" });
  await expect(desk.files.upload(nonsense, incoming())).rejects.toMatchObject({ code: "ticket.unknown" });
  await expect(desk.files.get(nonsense)).rejects.toMatchObject({ code: "file.unknown" });
  await expect(desk.files.remove(nonsense, "admin")).rejects.toMatchObject({ code: "file.unknown" });
  await expect(desk.files.extend(nonsense, "admin")).rejects.toMatchObject({ code: "file.unknown" });
});

test("an old link still says what became of it after the clean-up, for 30 days", async () => {
  await using desk = await openTestDesk();
  const { files, clock } = desk;
  const used = ticketIn(await files.issue({ ownerId: owner }));
  const link = await files.issue({ ownerId: owner });
  const unused = ticketIn(link);
  await files.upload(used, incoming());
  clock.now += 8 * 86_400_000;
  await desk.cleanUp();
  expect(await files.inspect(used)).toEqual({ state: "used", file: undefined });
  expect(await files.inspect(unused)).toEqual({ state: "expired", at: link.expiresAt });

  clock.now += 31 * 86_400_000;
  await desk.cleanUp();
  await expect(files.inspect(used)).rejects.toMatchObject({ code: "ticket.unknown" });
});

test("a file is gone from the moment it expires, before any clean-up ran", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: owner, expireAfter: 1000 }, incoming());
  desk.clock.now += 999;
  expect(await desk.files.get(file.id)).toEqual(file);
  desk.clock.now += 1;
  await expect(desk.files.get(file.id)).rejects.toMatchObject({ code: "file.unknown" });
  await expect(desk.files.extend(file.id, "admin")).rejects.toMatchObject({ code: "file.unknown" });
});

test("extending counts from now; the owner and moderators may, others not", async () => {
  await using desk = await openTestDesk();
  const { files, clock } = desk;
  const file = await files.add({ ownerId: owner }, incoming());
  clock.now += 1000;
  expect((await files.extend(file.id, member(owner))).expiresAt).toBe(clock.now + 7 * 86_400_000);
  expect((await files.extend(file.id, member("2", true), 5000)).expiresAt).toBe(clock.now + 5000);
  await expect(files.extend(file.id, member("2"))).rejects.toMatchObject({ code: "forbidden" });
  expect((await files.get(file.id)).expiresAt).toBe(clock.now + 5000);
});

test("a removed file is gone with its bytes; the owner and moderators may, others not", async () => {
  await using desk = await openTestDesk();
  const { files } = desk;
  const file = await files.add({ ownerId: owner }, incoming());
  await expect(files.remove(file.id, member("2"))).rejects.toMatchObject({ code: "forbidden" });
  await files.remove(file.id, member(owner));
  await expect(files.get(file.id)).rejects.toMatchObject({ code: "file.unknown" });
  await expect(files.remove(file.id, "admin")).rejects.toMatchObject({ code: "file.unknown" });
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("an open link can be taken back", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.remove(link.fileId, "admin");
  await expect(desk.files.upload(ticketIn(link), incoming())).rejects.toMatchObject({
    code: "ticket.expired",
  });
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("bytes that went missing are damage; bytes of a file removed meanwhile are not", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: owner }, incoming());
  await desk.blobs.delete(file.blobKey ?? "");
  await expect(desk.files.open(file)).rejects.toMatchObject({ code: "file.corrupt" });
  await desk.files.remove(file.id, "admin");
  await expect(desk.files.open(file)).rejects.toMatchObject({ code: "file.unknown" });
});

test("open links count towards the files that one may have, and nobody else's do", async () => {
  await using desk = await openTestDesk({ limits: { maxFiles: 2 } });
  await desk.files.issue({ ownerId: owner });
  await desk.files.add({ ownerId: owner }, incoming());
  await expect(desk.files.issue({ ownerId: owner })).rejects.toMatchObject({ code: "quota.files" });
  await expect(desk.files.add({ ownerId: owner }, incoming())).rejects.toMatchObject({ code: "quota.files" });
  expect(await desk.files.issue({ ownerId: "somebody-else" })).toBeDefined();
});

test("a list has every state, newest first, across pages", async () => {
  await using desk = await openTestDesk({ limits: { maxFiles: 2000 } });
  const ids: string[] = [];
  for (let count = 0; count < 1100; count += 1) {
    desk.clock.now += 1;
    ids.unshift((await desk.files.issue({ ownerId: owner })).fileId);
  }
  const file = await desk.files.add({ ownerId: "2" }, incoming());
  expect(await Array.fromAsync(desk.files.list({ ownerId: owner }), ({ id }) => id)).toEqual(ids);
  expect(await Array.fromAsync(desk.files.list({ states: ["ready"] }), ({ id }) => id)).toEqual([file.id]);
});

test("a finished upload is announced where it was asked for, in the same step that makes it ready", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner, origin });
  expect(await desk.store.announcements.due(desk.clock.now, 10)).toEqual([]);
  const file = await desk.files.upload(ticketIn(link), incoming());
  const [owed, ...more] = await desk.store.announcements.due(desk.clock.now, 10);
  expect(owed?.announcement).toMatchObject({
    kind: "upload.finished",
    fileId: file.id,
    ownerId: owner,
    origin,
  });
  expect(owed?.announcement.id).toMatch(/^[\w-]{22}$/);
  expect(more).toEqual([]);
  expect(desk.wakes()).toBe(1);
});

test("an upload through a link of the command line is announced to an owner whom Discord knows, and to no other", async () => {
  await using desk = await openTestDesk();
  await desk.files.upload(ticketIn(await desk.files.issue({ ownerId: "backup" })), incoming());
  expect(await desk.store.announcements.due(desk.clock.now, 10)).toEqual([]);
  await desk.files.upload(ticketIn(await desk.files.issue({ ownerId: owner })), incoming());
  expect(await desk.store.announcements.due(desk.clock.now, 10)).toHaveLength(1);
});

test("a file that was added without a link is not announced", async () => {
  await using desk = await openTestDesk();
  await desk.files.add({ ownerId: owner }, incoming());
  expect(await desk.store.announcements.due(desk.clock.now, 10)).toEqual([]);
  expect(desk.wakes()).toBe(0);
});
