import { expect, test } from "bun:test";
import type { FileIndex, NewFile } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";
import { arrived, direct, joinOf, openBundle, owner, roomy, rowOf } from "./rows.fixture.ts";

const DAY = 86_400_000;

/** Tells the owners of what goes within a day. */
const remind = (files: FileIndex, now: number, limit = 10) =>
  files.remind({ lead: DAY, now, limit, newId: newCapability });

/** A file that is ready from 0 on and goes at `expiresAt`. */
async function fileUntil(files: FileIndex, expiresAt: number, given: Partial<NewFile> = {}) {
  const row = direct(given);
  await files.insert(row, roomy);
  const text = newCapability();
  return rowOf(await files.finish(row, arrived(text, { readyAt: 0, expiresAt }), undefined));
}

test("an owner is told once of a file that goes within the lead, as of everything that is owed", async () => {
  await using opened = await openTestStore();
  const { files, announcements } = opened.store;
  const origin = {
    guildId: "1",
    channelId: "2",
    private: false,
    applicationId: "3",
    interactionToken: "t",
    interactionAt: 4,
  };
  const file = await fileUntil(files, 7 * DAY, { origin });
  await fileUntil(files, 8 * DAY);
  expect(await remind(files, 6 * DAY)).toBe(0);
  expect(await remind(files, 6 * DAY + 1)).toBe(1);
  expect(await remind(files, 6 * DAY + 2)).toBe(0);
  expect((await announcements.due(7 * DAY, 10)).map(({ announcement }) => announcement)).toEqual([
    {
      id: expect.any(String),
      kind: "file.expiring",
      fileId: file.id,
      ownerId: owner,
      origin,
      createdAt: 6 * DAY + 1,
    },
  ]);
});

test("an extended file is told of again", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const { id } = await fileUntil(files, 7 * DAY);
  expect(await remind(files, 6.5 * DAY)).toBe(1);
  await files.setExpiry(id, 14 * DAY);
  expect(await remind(files, 7 * DAY)).toBe(0);
  expect(await remind(files, 13.5 * DAY)).toBe(1);
});

test("nobody is told of what lives but briefly, of what is not theirs to see in Discord, or against their will", async () => {
  await using opened = await openTestStore();
  const { files, choices } = opened.store;
  await fileUntil(files, 2 * DAY - 1);
  await fileUntil(files, 7 * DAY, { ownerId: "backup" });
  await fileUntil(files, 7 * DAY, { ownerId: "12345678901234567x" });
  const unwilling = "100000000000000009";
  await fileUntil(files, 7 * DAY, { ownerId: unwilling });
  expect(await choices.reminders(unwilling)).toBe(true);
  await choices.setReminders(unwilling, false);
  expect(await choices.reminders(unwilling)).toBe(false);
  expect(await choices.reminders(owner)).toBe(true);
  expect(await remind(files, 6.5 * DAY)).toBe(0);
  await choices.setReminders(unwilling, true);
  expect(await remind(files, 6.5 * DAY)).toBe(1);
});

test("a bundle is told of as one, and what is not ready not at all", async () => {
  await using opened = await openTestStore();
  const { files, announcements } = opened.store;
  const bundle = await openBundle(files, 2);
  for (const path of ["a", "b"]) {
    const member = rowOf(await files.join(joinOf(bundle, { path })));
    await files.finish(member, arrived(path, { readyAt: 0, expiresAt: 7 * DAY }), undefined);
  }
  expect(await remind(files, 6.5 * DAY)).toBe(0);
  const times = { readyAt: 0, expiresAt: 7 * DAY };
  await files.seal(
    bundle.id,
    { name: "z", sha256: "c".repeat(64), members: 2, bytes: 2, ...times },
    undefined,
  );
  await files.insert(direct(), roomy);
  expect(await remind(files, 6.5 * DAY)).toBe(1);
  const [owed] = await announcements.due(7 * DAY, 10);
  expect(owed?.announcement.fileId).toBe(bundle.id);
});

test("many are told of some at a time, those that go first first", async () => {
  await using opened = await openTestStore();
  const { files, announcements } = opened.store;
  const rows = [];
  for (const hours of [3, 1, 2]) rows.push(await fileUntil(files, 7 * DAY + hours * 3_600_000));
  const [third, first, second] = rows.map(({ id }) => id);
  const now = 7 * DAY;
  expect(await remind(files, now, 2)).toBe(2);
  const told = (await announcements.due(now, 10)).map(({ announcement }) => announcement.fileId);
  expect(told.toSorted()).toEqual([first ?? "", second ?? ""].toSorted());
  expect(await remind(files, now, 2)).toBe(1);
  expect((await announcements.due(now, 10)).map(({ announcement }) => announcement.fileId)).toContain(
    third ?? "",
  );
});
