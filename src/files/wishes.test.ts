import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { codeOf, incoming, openTestDesk, ticketIn } from "../testing/file-desk.ts";
import { owner } from "../testing/resumable.ts";
import { expectedOf, lifeOf, MAX_MEMBERS, wishesOf } from "./wishes.ts";

const none = { title: null, note: null, passwordHash: null, maxDownloads: null, expireAfter: null };
const DAY = 86_400_000;

test("who says nothing wishes nothing", async () => {
  expect(await wishesOf({})).toEqual(none);
  expect(await wishesOf({ title: "", note: " \n ", password: "" })).toEqual(none);
});

describe("a title or a note that could show what is not there", () => {
  test.each([
    ["  Trip \n", "Trip"],
    ["a\r\nb\rc", "a\nb\nc"],
    ["in\u202Egnp.exe", "ingnp.exe"],
    ["\u2066x\u2069", "x"],
    ["nul\0 bell\u0007", "nul bell"],
    ["\uFEFFbom", "bom"],
    ["half \uD800 pair", "half  pair"],
    ["👩‍👩‍👧 family", "👩‍👩‍👧 family"],
    ["line   \n  next", "line\n  next"],
  ])("%j is kept as %j", async (given, kept) => {
    expect((await wishesOf({ title: given })).title).toBe(kept);
    expect((await wishesOf({ note: given })).note).toBe(kept);
  });

  test("whatever is given, nothing hidden stays, and it is kept or refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (title) => {
        const code = await codeOf(wishesOf({ title }));
        if (code === "share.invalid") return expect(title.length).toBeGreaterThan(120);
        const kept = (await wishesOf({ title })).title ?? "";
        expect(kept).not.toMatch(/[\p{Cs}\u202A-\u202E\u2066-\u2069\uFEFF]|(?!\n)\p{Cc}/u);
        expect(kept).toBe(kept.trim());
      }),
    );
  });
});

test.each([
  { title: "x".repeat(121) },
  { note: "x".repeat(2001) },
  { password: "x".repeat(1025) },
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001].map((maxDownloads) => ({ maxDownloads })),
  ...[0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY].map((expireAfter) => ({ expireAfter })),
])("%j is refused", async (sharing) => {
  expect(await codeOf(wishesOf(sharing))).toBe("share.invalid");
});

test("the longest that may be said is kept", async () => {
  const wishes = await wishesOf({ title: "x".repeat(120), note: "y".repeat(2000), maxDownloads: 1_000_000 });
  expect([wishes.title?.length, wishes.note?.length, wishes.maxDownloads]).toEqual([120, 2000, 1_000_000]);
});

test("one file is no bundle; a bundle has up to two thousand", () => {
  expect(expectedOf({})).toBeNull();
  expect(expectedOf({ files: 1 })).toBeNull();
  expect(expectedOf({ files: 2 })).toBe(2);
  expect(expectedOf({ files: MAX_MEMBERS })).toBe(2000);
  for (const files of [0, -1, 1.5, MAX_MEMBERS + 1, Number.NaN])
    expect(() => expectedOf({ files })).toThrow();
});

test("a share lives as long as its sender says, within the admin's bounds", async () => {
  await using desk = await openTestDesk({ limits: { expireAfter: 7 * DAY, maxExpireAfter: 30 * DAY } });
  const limits = desk.files.limits(owner, null);
  expect(lifeOf({ expireAfter: null }, limits)).toBe(7 * DAY);
  expect(lifeOf({ expireAfter: 1000 }, limits)).toBe(1000);
  expect(lifeOf({ expireAfter: 90 * DAY }, limits)).toBe(30 * DAY);
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files.prepare(ticketIn(link), { expireAfter: 90 * DAY, title: "Long" });
  const file = await desk.files.upload(ticketIn(link), incoming());
  expect(file).toMatchObject({ title: "Long", expiresAt: desk.clock.now + 30 * DAY });
});

test("an admin's own file lives as long as they say; a link of theirs is for others", async () => {
  await using desk = await openTestDesk({ limits: { expireAfter: 7 * DAY, maxExpireAfter: 30 * DAY } });
  const expireAfter = 400 * DAY;
  const added = await desk.files.add({ ownerId: owner, by: "admin", expireAfter }, incoming());
  expect(added.expiresAt).toBe(desk.clock.now + 400 * DAY);
  expect((await desk.files.add({ ownerId: owner, by: "admin" }, incoming())).expiresAt).toBe(
    desk.clock.now + 7 * DAY,
  );
  const link = await desk.files.issue({ ownerId: "admin" });
  await desk.files.prepare(ticketIn(link), { expireAfter });
  expect((await desk.files.upload(ticketIn(link), incoming())).expiresAt).toBe(desk.clock.now + 30 * DAY);
  const theirs = await desk.files.add({ ownerId: owner, expireAfter }, incoming());
  expect(theirs.expiresAt).toBe(desk.clock.now + 30 * DAY);
});

test("what is refused leaves the link as it was", async () => {
  await using desk = await openTestDesk();
  const ticket = ticketIn(await desk.files.issue({ ownerId: owner }));
  await desk.files.prepare(ticket, { title: "First", maxDownloads: 3 });
  expect(await codeOf(desk.files.prepare(ticket, { title: "Second", maxDownloads: 0 }))).toBe(
    "share.invalid",
  );
  expect(await desk.files.upload(ticket, incoming())).toMatchObject({ title: "First", maxDownloads: 3 });
});

test("a finished share takes no more wishes, an unknown link none at all", async () => {
  await using desk = await openTestDesk();
  const ticket = ticketIn(await desk.files.issue({ ownerId: owner }));
  await desk.files.upload(ticket, incoming());
  expect(await codeOf(desk.files.prepare(ticket, { title: "Late" }))).toBe("ticket.used");
  expect(await codeOf(desk.files.prepare("x".repeat(22), { title: "?" }))).toBe("ticket.unknown");
});
