import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { createAdmins } from "../members/admins.ts";
import { databasePath } from "./data-dir.ts";
import { openTestStore } from "./open-test-store.ts";

test("the database has neither the key of a link nor that of a session", async () => {
  await using opened = await openTestStore();
  const admins = createAdmins({ keys: opened.store.adminKeys, now: () => 1 });
  const { key } = await admins.invite();
  const session = await admins.enter(key);
  using database = new Database(databasePath(opened.dataDir), { readonly: true });
  const rows = JSON.stringify(database.query("select * from admin_keys").all());
  expect(rows).toMatch(/"session_hash":"[0-9a-f]{64}"/);
  for (const secret of [key, session]) expect(rows).not.toContain(secret);
});

test("what ended long ago is dropped, at most as much as asked; what has not ended stays", async () => {
  await using opened = await openTestStore();
  const { adminKeys } = opened.store;
  for (const endsAt of [1, 2, 3, 9]) await adminKeys.addLink(`link ${endsAt}`, endsAt);
  await adminKeys.open({ linkHash: "link 3", sessionHash: "session", now: 2, endsAt: 20 });
  expect(await adminKeys.drop(9, 1)).toBe(1);
  expect(await adminKeys.drop(9, 5)).toBe(1);
  expect(await adminKeys.link("link 9")).toEqual({ used: false, endsAt: 9 });
  expect(await adminKeys.hasSession("session", 19)).toBe(true);
});
