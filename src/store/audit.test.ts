import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { AuditEntry } from "../files/ports.ts";
import { databasePath } from "./data-dir.ts";
import { openTestStore } from "./open-test-store.ts";
import { owner, readyFile } from "./rows.fixture.ts";

const entry = (at: number, given: Partial<AuditEntry> = {}): AuditEntry => ({
  at,
  fileId: "file",
  ownerId: owner,
  name: "a.bin",
  action: "downloaded",
  who: "somebody",
  ...given,
});

test("the audit is read newest first, a page after the other, by file and by owner", async () => {
  await using opened = await openTestStore();
  const { audit } = opened.store;
  await audit.add([entry(1), entry(2, { fileId: "other" }), entry(3, { ownerId: "admin" })]);
  // Of one millisecond: in the order in which they were noted.
  await audit.add([entry(3, { action: "viewed" }), entry(3, { action: "deleted" })]);
  const times = async (input: Parameters<typeof audit.list>[0]) =>
    (await audit.list(input)).map(({ at, action }) => `${at} ${action}`);

  expect(await times({ limit: 10 })).toEqual([
    "3 deleted",
    "3 viewed",
    "3 downloaded",
    "2 downloaded",
    "1 downloaded",
  ]);
  expect(await times({ fileId: "other", limit: 10 })).toEqual(["2 downloaded"]);
  expect(await times({ ownerId: "admin", limit: 10 })).toEqual(["3 downloaded"]);
  const [first, second] = await audit.list({ fileId: "file", limit: 2 });
  expect(first).toEqual({ ...entry(3, { action: "deleted" }), id: 5 });
  expect(await times({ fileId: "file", limit: 2, before: second?.id ?? 0 })).toEqual([
    "3 downloaded",
    "1 downloaded",
  ]);
});

test("entries are added all or none", async () => {
  await using opened = await openTestStore();
  const { audit } = opened.store;
  await audit.add([]);
  const wrong = { ...entry(2), action: JSON.parse('"renamed"') };
  await expect(audit.add([entry(1), wrong])).rejects.toMatchObject({ code: "database.failed" });
  expect(await audit.list({ limit: 10 })).toEqual([]);
});

test("an entry can't be changed, not even in the database by hand", async () => {
  await using opened = await openTestStore();
  const { audit } = opened.store;
  await audit.add([entry(1)]);
  using database = new Database(databasePath(opened.dataDir));
  for (const change of ["who = 'nobody'", "at = 0", "id = 7", "action = action"]) {
    expect(() => database.run(`UPDATE audit SET ${change}`)).toThrow("only ever added to");
  }
  expect(await audit.list({ limit: 10 })).toEqual([{ ...entry(1), id: 1 }]);
});

test("only age takes an entry away, and its number is never given again", async () => {
  await using opened = await openTestStore();
  const { files, audit } = opened.store;
  const { id: fileId } = await readyFile(files);
  await audit.add([entry(10, { fileId }), entry(20, { fileId }), entry(30, { fileId })]);
  await files.markDeleting(fileId);
  await files.remove([fileId], 1);
  expect(await audit.list({ fileId, limit: 10 })).toHaveLength(3);
  expect(await audit.drop(10, 10)).toBe(0);
  expect(await audit.drop(31, 2)).toBe(2);
  expect(await audit.drop(31, 2)).toBe(1);
  await audit.add([entry(40)]);
  expect((await audit.list({ limit: 10 })).map(({ id }) => id)).toEqual([4]);
});
