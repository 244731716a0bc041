import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { WisError } from "../errors.ts";
import { codeOf, incoming, openTestDesk, type TestDesk, ticketIn } from "../testing/file-desk.ts";
import { owner } from "../testing/resumable.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { createAuditTrail } from "./audit.ts";
import { RECORD_LIFE } from "./expiry.ts";
import type { AuditEntry } from "./ports.ts";

const someone = (id: string) => ({
  id,
  name: "somebody",
  moderator: false,
  asker: { guildId: null, roleIds: [] },
});
const file = { shareId: "f".repeat(22), ownerId: owner, name: "a.txt" };

async function storyOf(desk: TestDesk, fileId: string) {
  const entries = await desk.files.audit({ fileId, limit: 100 });
  return entries.toReversed().map(({ action, who }) => [action, who]);
}

test("the whole life of a file is told, in its order, by who did what", async () => {
  await using desk = await openTestDesk();
  const { files } = desk;
  const link = await files.issue({ ownerId: owner });
  await files.prepare(ticketIn(link), { password: "secret", maxDownloads: 1 });
  const sent = await files.upload(ticketIn(link), incoming());
  files.viewed(sent, "203.0.113.7");
  expect(await codeOf(files.unlock(sent, "wrong", "203.0.113.7"))).toBe("password.wrong");
  await files.download(sent, "203.0.113.7");
  expect(await codeOf(files.download(sent, "203.0.113.8"))).toBe("file.spent");
  desk.clock.now += 1000;
  await files.extend(sent.id, someone(owner));
  await files.remove(sent.id, "admin");
  const story = await storyOf(desk, sent.id);
  const visitor = story[1]?.[1] ?? "";
  const late = story[4]?.[1] ?? "";
  expect(story).toEqual([
    ["uploaded", owner],
    ["viewed", visitor],
    ["refused", visitor],
    ["downloaded", visitor],
    ["refused", late],
    ["extended", owner],
    ["deleted", "admin"],
  ]);
  expect(late).not.toBe(visitor);
});

test("what expires is told too, once for a bundle", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.prepare(ticketIn(link), { files: 2 });
  for (const name of ["a.txt", "b.txt"]) await desk.files.upload(ticketIn(link), incoming({ name }));
  desk.clock.now += 8 * 86_400_000;
  await desk.cleanUp();
  const entries = await desk.files.audit({ ownerId: owner, limit: 100 });
  expect(entries.filter(({ action }) => action === "expired")).toMatchObject([
    { fileId: link.fileId, who: "clean-up" },
  ]);
});

/** All of a bundle's story, under its own id, with whose name each entry has. */
async function bundleStory(desk: TestDesk, fileId: string) {
  const entries = await desk.files.audit({ fileId, limit: 100 });
  return entries.toReversed().map(({ action, name }) => [action, name]);
}

test("a bundle's story has what happened to each of its files, by name", async () => {
  await using desk = await openTestDesk();
  const { files } = desk;
  const link = await files.issue({ ownerId: owner });
  await files.prepare(ticketIn(link), { files: 2, title: "Trip", maxDownloads: 1, password: "secret" });
  for (const name of ["a.txt", "b.txt"]) await files.upload(ticketIn(link), incoming({ name }));
  const bundle = await files.get(link.fileId);
  const [first = bundle] = await files.members(bundle);
  const member = await files.get(first.id);
  files.viewed(member, "203.0.113.7");
  expect(await codeOf(files.unlock(member, "wrong", "203.0.113.7"))).toBe("password.wrong");
  await files.download(member, "203.0.113.7");
  expect(await codeOf(files.download(bundle, "203.0.113.8"))).toBe("file.spent");
  await files.remove(bundle.id, someone(owner));
  expect(await bundleStory(desk, bundle.id)).toEqual([
    ["uploaded", "a.txt"],
    ["uploaded", "b.txt"],
    ["viewed", "a.txt"],
    ["refused", "a.txt"],
    ["downloaded", "a.txt"],
    ["refused", "Trip.zip"],
    ["deleted", "Trip.zip"],
  ]);
  expect(await desk.files.audit({ fileId: member.id, limit: 10 })).toEqual([]);
});

test("one file alone that was to be a bundle keeps the story of its upload", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.prepare(ticketIn(link), { files: 5 });
  await desk.files.upload(ticketIn(link), incoming({ name: "a.txt" }));
  await desk.files.close(ticketIn(link));
  expect(await bundleStory(desk, link.fileId)).toEqual([["uploaded", "a.txt"]]);
});

test("an open bundle that is deleted with what has arrived says by whom", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.prepare(ticketIn(link), { files: 5 });
  await desk.files.upload(ticketIn(link), incoming({ name: "a.txt" }));
  await desk.files.remove(link.fileId, someone(owner));
  expect(await storyOf(desk, link.fileId)).toEqual([
    ["uploaded", owner],
    ["deleted", owner],
  ]);
  const unused = await desk.files.issue({ ownerId: owner });
  await desk.files.remove(unused.fileId, someone(owner));
  expect(await storyOf(desk, unused.fileId)).toEqual([]);
});

test("an address can't be read from it, and is the same person as long as it is the same address", async () => {
  await using desk = await openTestDesk();
  const sent = await desk.files.add({ ownerId: owner }, incoming());
  for (const address of ["203.0.113.7", "203.0.113.7", "203.0.113.8"]) desk.files.viewed(sent, address);
  const who = (await storyOf(desk, sent.id)).slice(1).map(([, name]) => name);
  expect(who[0]).toBe(who[1]);
  expect(who[0]).not.toBe(who[2]);
  expect(who.join()).not.toContain("203.0.113");
});

test("an owner sees their own files' entries, an admin all of them, page by page", async () => {
  await using desk = await openTestDesk();
  for (const ownerId of [owner, "2", owner]) await desk.files.add({ ownerId }, incoming());
  expect(await desk.files.audit({ ownerId: owner, limit: 100 })).toHaveLength(2);
  const [newest, middle] = await desk.files.audit({ limit: 2 });
  const [oldest, ...more] = await desk.files.audit({ limit: 2, before: middle?.id ?? 0 });
  expect(more).toEqual([]);
  const ids = [newest, middle, oldest].map((entry) => entry?.id ?? 0);
  expect(ids).toEqual(ids.toSorted((one, other) => other - one));
});

test("an entry can't be changed, and goes only with age", async () => {
  await using desk = await openTestDesk();
  await desk.files.add({ ownerId: owner }, incoming());
  await desk.files.audit({ limit: 1 });
  using database = new Database(join(desk.dataDir, "wisbot.db"));
  expect(() => database.run("update audit set who = 'nobody'")).toThrow();
  desk.clock.now += RECORD_LIFE;
  await desk.cleanUp();
  expect(await desk.files.audit({ limit: 10 })).not.toEqual([]);
  desk.clock.now += 1;
  await desk.cleanUp();
  const left = await desk.files.audit({ limit: 10 });
  expect(left.map(({ action }) => action)).not.toContain("uploaded");
});

/** A trail over a log that is looked at. */
async function openTrail(add: (entries: AuditEntry[]) => Promise<void>) {
  const opened = await openTestTelemetry();
  const trail = createAuditTrail({ log: { add }, telemetry: opened.telemetry, now: () => 1 });
  return {
    trail,
    errors: () => opened.lines().filter(({ level }) => level === "error"),
    async [Symbol.asyncDispose]() {
      await trail[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

test("a crowd costs a few writes, and none of it is lost at the end", async () => {
  const batches: number[] = [];
  await using opened = await openTrail(async (entries) => void batches.push(entries.length));
  for (let count = 0; count < 450; count += 1) opened.trail.note(file, "viewed", String(count));
  await opened.trail.flush();
  expect(batches).toEqual([200, 200, 50]);
  opened.trail.note(file, "viewed", "last");
  await opened.trail[Symbol.asyncDispose]();
  expect(batches).toEqual([200, 200, 50, 1]);
});

test("a log that fails stops nobody, is said, and takes what comes next", async () => {
  const written: string[] = [];
  let broken = true;
  await using opened = await openTrail(async (entries) => {
    if (broken) throw new WisError("database.failed", { say: "The database failed." });
    written.push(...entries.map(({ who }) => who));
  });
  opened.trail.note(file, "viewed", "lost");
  await opened.trail.flush();
  expect(opened.errors()).toHaveLength(1);
  broken = false;
  opened.trail.note(file, "viewed", "kept");
  await opened.trail.flush();
  expect(written).toEqual(["kept"]);
});
