import { expect, test } from "bun:test";
import { openTestStore } from "../store/open-test-store.ts";
import { codeOf } from "../testing/file-desk.ts";
import { createAdmins } from "./admins.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The rules on real rows, at a clock that the test turns. */
async function openAdmins() {
  const { store, ...opened } = await openTestStore();
  const clock = { now: 1_000 };
  const admins = createAdmins({ keys: store.adminKeys, now: () => clock.now });
  return { admins, clock, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

test("a link signs in once; looking at it uses nothing up", async () => {
  await using t = await openAdmins();
  const { key, endsAt } = await t.admins.invite();
  expect(endsAt).toBe(t.clock.now + 10 * MINUTE);
  await t.admins.look(key);
  await t.admins.look(key);
  const session = await t.admins.enter(key);
  await t.admins.admit(session);
  expect(await codeOf(t.admins.enter(key))).toBe("admin.link_spent");
  expect(await codeOf(t.admins.look(key))).toBe("admin.link_spent");
});

test("of ten who use a link at once, one is signed in", async () => {
  await using t = await openAdmins();
  const { key } = await t.admins.invite();
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => t.admins.enter(key)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a link is good for 10 minutes, to the millisecond", async () => {
  await using t = await openAdmins();
  const first = await t.admins.invite();
  const second = await t.admins.invite();
  t.clock.now += 10 * MINUTE - 1;
  await t.admins.enter(first.key);
  t.clock.now += 1;
  expect(await codeOf(t.admins.look(second.key))).toBe("admin.link_spent");
  expect(await codeOf(t.admins.enter(second.key))).toBe("admin.link_spent");
});

test("a session lasts 12 hours, whatever is done in it", async () => {
  await using t = await openAdmins();
  const session = await t.admins.enter((await t.admins.invite()).key);
  t.clock.now += 12 * HOUR - 1;
  await t.admins.admit(session);
  t.clock.now += 1;
  expect(await codeOf(t.admins.admit(session))).toBe("admin.sign_in");
});

test("nothing else lets anybody in: no key, a made up one, that of a link", async () => {
  await using t = await openAdmins();
  const { key } = await t.admins.invite();
  for (const wrong of [undefined, "", "x".repeat(22), key]) {
    expect(await codeOf(t.admins.admit(wrong))).toBe("admin.sign_in");
  }
  const session = await t.admins.enter(key);
  expect(await codeOf(t.admins.admit(key))).toBe("admin.sign_in");
  for (const wrong of ["", "x".repeat(22), session]) {
    expect(await codeOf(t.admins.look(wrong))).toBe("not_found");
    expect(await codeOf(t.admins.enter(wrong))).toBe("not_found");
  }
});

test("who leaves ends their own session; signing everybody out ends all of them, and links", async () => {
  await using t = await openAdmins();
  const [one = "", other = "", third = ""] = await Promise.all(
    [1, 2, 3].map(async () => t.admins.enter((await t.admins.invite()).key)),
  );
  const { key } = await t.admins.invite();
  await t.admins.leave(one);
  expect(await codeOf(t.admins.admit(one))).toBe("admin.sign_in");
  await t.admins.admit(other);
  expect(await t.admins.signOutAll()).toEqual({ sessions: 2, links: 1 });
  for (const session of [other, third]) expect(await codeOf(t.admins.admit(session))).toBe("admin.sign_in");
  expect(await codeOf(t.admins.enter(key))).toBe("admin.link_spent");
  expect(await t.admins.signOutAll()).toEqual({ sessions: 0, links: 0 });
});
