import { expect, test } from "bun:test";
import type { Announcement } from "../announce/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";
import { arrived, direct, roomy } from "./rows.fixture.ts";

type TestStore = Awaited<ReturnType<typeof openTestStore>>["store"];

async function owe(store: TestStore, createdAt: number): Promise<Announcement> {
  const row = direct({ createdAt });
  await store.files.insert(row, roomy);
  const announcement: Announcement = {
    id: newCapability(),
    kind: "upload.finished",
    fileId: row.id,
    ownerId: row.ownerId,
    origin: null,
    createdAt,
  };
  await store.files.finish(row, arrived("text", { readyAt: createdAt, expiresAt: 1e9 }), announcement);
  return announcement;
}

test("announcements fall due oldest first, and a retried one when it is to be retried", async () => {
  await using opened = await openTestStore();
  const { announcements } = opened.store;
  const [second, first, later] = [
    await owe(opened.store, 20),
    await owe(opened.store, 10),
    await owe(opened.store, 30),
  ];
  const due = async (now: number, limit = 10) =>
    (await announcements.due(now, limit)).map(({ announcement }) => announcement.id);

  expect(await announcements.waiting()).toBe(3);
  expect(await announcements.nextDueAt()).toBe(10);
  expect(await due(20)).toEqual([first.id, second.id]);
  expect(await due(20, 1)).toEqual([first.id]);
  await announcements.retryAt(first.id, 25, 3);
  expect(await announcements.nextDueAt()).toBe(20);
  expect(await announcements.due(25, 10)).toEqual([
    { announcement: second, attempts: 0 },
    { announcement: first, attempts: 3 },
  ]);
  await announcements.delivered(second.id);
  expect(await due(30)).toEqual([first.id, later.id]);
});

test("what was given up is never due again, and goes when it is old", async () => {
  await using opened = await openTestStore();
  const { announcements } = opened.store;
  const owed = [await owe(opened.store, 1), await owe(opened.store, 2), await owe(opened.store, 3)];
  for (const { id } of owed) await announcements.failed(id, 50);
  expect(await announcements.due(1e9, 10)).toEqual([]);
  expect(await announcements.nextDueAt()).toBeUndefined();
  expect(await announcements.drop(50, 10)).toBe(0);
  expect(await announcements.drop(51, 2)).toBe(2);
  expect(await announcements.drop(51, 2)).toBe(1);
});
