import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { codeOf, openTestDesk } from "../testing/file-desk.ts";
import { owner } from "../testing/resumable.ts";

const DAY = 86_400_000;
const asker = { guildId: "1", roleIds: ["2", "3"] };

test("a token is shown once, and says whose it is and as whom they asked", async () => {
  await using desk = await openTestDesk();
  const { secret, ...minted } = await desk.files.mintToken({ ownerId: owner, asker, name: "ShareX" });
  expect(secret).toMatch(/^wis_[A-Za-z0-9_-]{44}$/);
  expect(minted).toMatchObject({
    ownerId: owner,
    asker,
    name: "ShareX",
    createdAt: desk.clock.now,
    lastUsedAt: null,
  });
  desk.clock.now += 5000;
  expect(await desk.files.tokenOf(secret)).toEqual({ ...minted, lastUsedAt: desk.clock.now });
  expect(await desk.files.tokens(owner)).toEqual([{ ...minted, lastUsedAt: desk.clock.now }]);
});

test("nothing of the secret is in the database, nor in the log", async () => {
  await using desk = await openTestDesk();
  const { secret } = await desk.files.mintToken({ ownerId: owner, asker, name: "curl" });
  using database = new Database(join(desk.dataDir, "wisbot.db"), { readonly: true });
  const rows = JSON.stringify(database.query("select * from tokens").all());
  expect(rows).toContain("curl");
  expect(rows).not.toContain(secret.slice(4, 20));
  expect(JSON.stringify(desk.lines())).not.toContain(secret.slice(4, 20));
});

test.each([
  "",
  "wis_",
  "wis_short",
  `wis_${"x".repeat(44)}`,
  `WIS_${"x".repeat(44)}`,
  `wis_${"x".repeat(45)}`,
])("%j is no token", async (nonsense) => {
  await using desk = await openTestDesk();
  await desk.files.mintToken({ ownerId: owner, asker, name: "real" });
  expect(await codeOf(desk.files.tokenOf(nonsense))).toBe("token.unknown");
});

test("a revoked token is none any more; only its owner revokes it, once", async () => {
  await using desk = await openTestDesk();
  const kept = await desk.files.mintToken({ ownerId: owner, asker, name: "kept" });
  const { id, secret } = await desk.files.mintToken({ ownerId: owner, asker, name: "lost" });
  expect(await codeOf(desk.files.revokeToken(id, { ownerId: "2" }))).toBe("token.unknown");
  expect((await desk.files.tokenOf(secret)).id).toBe(id);
  await desk.files.revokeToken(id, { ownerId: owner });
  expect(await codeOf(desk.files.tokenOf(secret))).toBe("token.unknown");
  expect(await codeOf(desk.files.revokeToken(id, { ownerId: owner }))).toBe("token.unknown");
  expect((await desk.files.tokens(owner)).map(({ name }) => name)).toEqual(["kept"]);
  expect((await desk.files.tokenOf(kept.secret)).name).toBe("kept");
});

test("an admin revokes anybody's token, and sees whose there are", async () => {
  await using desk = await openTestDesk();
  const mine = await desk.files.mintToken({ ownerId: owner, asker, name: "mine" });
  const theirs = await desk.files.mintToken({ ownerId: "2", asker, name: "theirs" });
  expect((await desk.files.tokens()).map(({ ownerId, name }) => [ownerId, name])).toEqual([
    [owner, "mine"],
    ["2", "theirs"],
  ]);
  await desk.files.revokeToken(theirs.id, "admin");
  expect(await codeOf(desk.files.tokenOf(theirs.secret))).toBe("token.unknown");
  expect(await codeOf(desk.files.revokeToken(theirs.id, "admin"))).toBe("token.unknown");
  expect((await desk.files.tokens()).map(({ id }) => id)).toEqual([mine.id]);
});

test("a token that nobody uses for 90 days is none any more, and the clean-up takes it away", async () => {
  await using desk = await openTestDesk();
  const used = await desk.files.mintToken({ ownerId: owner, asker, name: "used" });
  const left = await desk.files.mintToken({ ownerId: owner, asker, name: "left" });
  desk.clock.now += 90 * DAY - 1;
  await desk.files.tokenOf(used.secret);
  desk.clock.now += 1;
  expect((await desk.files.tokenOf(used.secret)).id).toBe(used.id);
  expect(await codeOf(desk.files.tokenOf(left.secret))).toBe("token.unknown");
  desk.clock.now += 1;
  expect(await desk.cleanUp()).toMatchObject({ old_records: 1 });
  expect((await desk.files.tokens(owner)).map(({ name }) => name)).toEqual(["used"]);
});

test("an owner's tokens know them as they are now, in the server where they were minted", async () => {
  await using desk = await openTestDesk();
  const here = await desk.files.mintToken({ ownerId: owner, asker, name: "here" });
  const direct = { guildId: null, roleIds: [] };
  const alone = await desk.files.mintToken({ ownerId: owner, asker: direct, name: "direct message" });
  const other = await desk.files.mintToken({ ownerId: "2", asker, name: "somebody else's" });
  const rolesOf = async ({ secret }: { secret: string }) => (await desk.files.tokenOf(secret)).asker.roleIds;
  const roles = async () => [await rolesOf(here), await rolesOf(alone), await rolesOf(other)];

  await desk.files.issue({ ownerId: owner, asker: { guildId: "1", roleIds: ["3"] } });
  expect(await roles()).toEqual([["3"], [], ["2", "3"]]);
  await desk.files.issue({ ownerId: owner, asker: direct });
  await desk.files.issue({ ownerId: owner, asker: { guildId: "9", roleIds: ["4"] } });
  expect(await roles()).toEqual([["3"], [], ["2", "3"]]);
  await desk.files.mintToken({ ownerId: owner, asker: { guildId: "1", roleIds: [] }, name: "newer" });
  expect(await roles()).toEqual([[], [], ["2", "3"]]);
});

test("ten tokens are enough for one, however many are asked for at once, and nobody else's count", async () => {
  await using desk = await openTestDesk();
  await desk.files.mintToken({ ownerId: "2", asker, name: "other" });
  const mint = (_: unknown, at: number) =>
    codeOf(desk.files.mintToken({ ownerId: owner, asker, name: `${at}` }));
  const codes = await Promise.all(Array.from({ length: 30 }, mint));
  expect(codes.filter((code) => code === "no error")).toHaveLength(10);
  expect(codes.filter((code) => code === "token.limit")).toHaveLength(20);
  const [oldest] = await desk.files.tokens(owner);
  await desk.files.revokeToken(oldest?.id ?? "", { ownerId: owner });
  expect(await mint(undefined, 31)).toBe("no error");
});

test.each([
  ["  my\n\tlaptop ", "my laptop"],
  ["", "token"],
  [" \n ", "token"],
  ["x".repeat(100), "x".repeat(60)],
])("a token named %j is listed as %j", async (given, shown) => {
  await using desk = await openTestDesk();
  expect((await desk.files.mintToken({ ownerId: owner, asker, name: given })).name).toBe(shown);
});
