import { expect, test } from "bun:test";
import { incoming, openTestDesk, type TestDesk } from "../testing/file-desk.ts";
import { owner } from "../testing/resumable.ts";
import { remindJob, remindOwners } from "./remind.ts";

const DAY = 86_400_000;
const LEAD = DAY;
const { signal } = new AbortController();

/** Runs the reminders; gives of which files a message is owed, and how often the outbox was woken. */
async function remind(desk: TestDesk) {
  let wakes = 0;
  const deps = {
    index: desk.store.files,
    lead: LEAD,
    wake: () => {
      wakes += 1;
    },
    now: () => desk.clock.now,
  };
  await remindOwners(deps, signal);
  return wakes;
}

async function owed(desk: TestDesk): Promise<string[]> {
  const due = await desk.store.announcements.due(desk.clock.now, 1000);
  return due.flatMap(({ announcement }) =>
    announcement.kind === "file.expiring" ? [announcement.fileId] : [],
  );
}

const add = (desk: TestDesk, life: number, ownerId = owner) =>
  desk.files.add({ ownerId, expireAfter: life }, incoming());

test.each([
  ["with every clean-up", DAY, 3_600_000, 3_600_000],
  ["often enough for a short lead", 3_600_000, 3_600_000, 900_000],
  ["in time, however seldom the clean-up runs", DAY, 30 * DAY, DAY / 4],
  ["not without end for a lead that is none", 1, 3_600_000, 1_000],
])("it runs %s", async (_, lead, cleanUpEvery, every) => {
  await using desk = await openTestDesk();
  const deps = { index: desk.store.files, wake() {}, now: () => desk.clock.now };
  expect(remindJob({ ...deps, lead, cleanUpEvery }).every).toBe(every);
});

test("an owner is told once, a day before the file goes", async () => {
  await using desk = await openTestDesk();
  const file = await add(desk, 7 * DAY);
  desk.clock.now += 6 * DAY;
  expect(await remind(desk)).toBe(0);
  desk.clock.now += 1;
  expect(await remind(desk)).toBe(1);
  expect(await owed(desk)).toEqual([file.id]);
  expect(await remind(desk)).toBe(0);
  expect(await owed(desk)).toEqual([file.id]);
});

test("only what lives twice as long is worth a reminder", async () => {
  await using desk = await openTestDesk();
  const long = await add(desk, 2 * DAY);
  await add(desk, 2 * DAY - 1);
  desk.clock.now += DAY + 1;
  await remind(desk);
  expect(await owed(desk)).toEqual([long.id]);
});

test("what was extended is told of again, before its new end", async () => {
  await using desk = await openTestDesk();
  const file = await add(desk, 7 * DAY);
  desk.clock.now += 6 * DAY + 1;
  await remind(desk);
  await desk.files.extend(file.id, "admin");
  expect(await remind(desk)).toBe(0);
  desk.clock.now += 6 * DAY + 1;
  expect(await remind(desk)).toBe(1);
  expect(await owed(desk)).toEqual([file.id, file.id]);
});

test("whoever does not want to be told is not, until they do again", async () => {
  await using desk = await openTestDesk();
  const file = await add(desk, 7 * DAY);
  expect(await desk.files.reminders(owner)).toBe(true);
  await desk.files.setReminders(owner, false);
  expect(await desk.files.reminders(owner)).toBe(false);
  desk.clock.now += 6 * DAY + 1;
  expect(await remind(desk)).toBe(0);
  await desk.files.setReminders(owner, true);
  expect(await remind(desk)).toBe(1);
  expect(await owed(desk)).toEqual([file.id]);
});

test("nobody is told whom Discord does not know", async () => {
  await using desk = await openTestDesk();
  for (const name of ["backup", "1234", "1".repeat(21), `${"1".repeat(17)}x`]) await add(desk, 7 * DAY, name);
  desk.clock.now += 6 * DAY + 1;
  expect(await remind(desk)).toBe(0);
});

test("a bundle is told of once, and not its files", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const ticket = link.url.split("/u/")[1] ?? "";
  await desk.files.prepare(ticket, { files: 2 });
  for (const name of ["a.txt", "b.txt"]) await desk.files.upload(ticket, incoming({ name }));
  desk.clock.now += 6 * DAY + 1;
  expect(await remind(desk)).toBe(1);
  expect(await owed(desk)).toEqual([link.fileId]);
});

test("what has gone already is not said to go soon", async () => {
  await using desk = await openTestDesk();
  await add(desk, 7 * DAY);
  // Nothing ran for a while; the clean-up comes after the reminders.
  desk.clock.now += 7 * DAY;
  expect(await remind(desk)).toBe(0);
  expect(await owed(desk)).toEqual([]);
});

test("open links, and files that are being deleted, are nobody's business", async () => {
  await using desk = await openTestDesk();
  await desk.files.issue({ ownerId: owner });
  const file = await add(desk, 7 * DAY);
  await desk.store.files.markDeleting(file.id);
  desk.clock.now += 6 * DAY + 1;
  expect(await remind(desk)).toBe(0);
});

test("more than a batch is told in one run", async () => {
  await using desk = await openTestDesk();
  await Promise.all(Array.from({ length: 401 }, () => add(desk, 7 * DAY)));
  desk.clock.now += 6 * DAY + 1;
  expect(await remind(desk)).toBe(3);
  expect(new Set(await owed(desk)).size).toBe(401);
});
