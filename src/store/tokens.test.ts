import { expect, test } from "bun:test";
import type { TokenRow } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";
import { owner } from "./rows.fixture.ts";

const token = (given: Partial<TokenRow> = {}) => ({
  id: newCapability(),
  ownerId: owner,
  asker: { guildId: "1", roleIds: ["2"] },
  name: "laptop",
  createdAt: 1000,
  lastUsedAt: null,
  ...given,
  hash: newCapability(),
});

const at = (now: number, idleSince = 0) => ({ now, idleSince });

test("a token is known by its hash, says whose it is, and notes that it was used", async () => {
  await using opened = await openTestStore();
  const { tokens } = opened.store;
  const { hash, ...row } = token();
  expect(await tokens.insert({ ...row, hash }, 10)).toBe(true);
  expect(await tokens.list(owner)).toEqual([row]);
  expect(await tokens.use(hash, at(5000))).toEqual({ ...row, lastUsedAt: 5000 });
  expect(await tokens.list(owner)).toEqual([{ ...row, lastUsedAt: 5000 }]);
  expect(await tokens.use("another", at(5000))).toBeUndefined();
  expect(await tokens.list("somebody else")).toEqual([]);
});

test("of a hundred tokens at once an owner gets as many as are allowed, and everybody else theirs", async () => {
  await using opened = await openTestStore();
  const { tokens } = opened.store;
  const all = await Promise.all(Array.from({ length: 100 }, () => tokens.insert(token(), 10)));
  expect(all.filter(Boolean)).toHaveLength(10);
  expect(await tokens.list(owner)).toHaveLength(10);
  expect(await tokens.insert(token({ ownerId: "other" }), 10)).toBe(true);
});

test("a token is revoked by its owner alone, and then makes room for another", async () => {
  await using opened = await openTestStore();
  const { tokens } = opened.store;
  const first = token();
  await tokens.insert(first, 1);
  expect(await tokens.insert(token(), 1)).toBe(false);
  expect(await tokens.remove(first.id, "somebody else")).toBe(false);
  expect(await tokens.use(first.hash, at(1))).toBeDefined();
  expect(await tokens.remove(first.id, owner)).toBe(true);
  expect(await tokens.remove(first.id, owner)).toBe(false);
  expect(await tokens.use(first.hash, at(1))).toBeUndefined();
  expect(await tokens.insert(token(), 1)).toBe(true);
});

test("an owner's tokens are listed in the order in which they were made", async () => {
  await using opened = await openTestStore();
  const { tokens } = opened.store;
  for (const [name, createdAt] of [
    ["b", 2],
    ["c", 3],
    ["a", 1],
  ] as const) {
    await tokens.insert(token({ name, createdAt }), 10);
  }
  expect((await tokens.list(owner)).map(({ name }) => name)).toEqual(["a", "b", "c"]);
});
