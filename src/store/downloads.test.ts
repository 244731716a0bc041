import { expect, test } from "bun:test";
import { openTestStore } from "./open-test-store.ts";
import { arrived, direct, readyFile, roomy } from "./rows.fixture.ts";

const visit = (fileId: string, who: string, now = 1000, since = 0) => ({ fileId, who, now, since });

test("a session counts once, however often it comes back", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const { id } = await readyFile(files);
  expect(await downloads.begin(visit(id, "ada"))).toBe("new");
  for (let i = 0; i < 5; i += 1) expect(await downloads.begin(visit(id, "ada"))).toBe("again");
  expect(await downloads.begin(visit(id, "bob"))).toBe("new");
  expect(await files.find(id)).toMatchObject({ downloads: 2 });
});

test("a session ends when it has rested too long, and the next request is a new one", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const { id } = await readyFile(files);
  await downloads.begin(visit(id, "ada", 1000));
  expect(await downloads.begin(visit(id, "ada", 2000, 1000))).toBe("again");
  // It went on at 2000.
  expect(await downloads.begin(visit(id, "ada", 3000, 2000))).toBe("again");
  expect(await downloads.begin(visit(id, "ada", 5000, 3001))).toBe("new");
  expect(await files.find(id)).toMatchObject({ downloads: 2 });
});

test("when none is left, who has begun may go on and nobody else may begin", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const { id } = await readyFile(files, { maxDownloads: 2 });
  for (const who of ["ada", "bob"]) expect(await downloads.begin(visit(id, who))).toBe("new");
  expect(await downloads.begin(visit(id, "eve"))).toBe("spent");
  for (const who of ["ada", "bob"]) expect(await downloads.begin(visit(id, who))).toBe("again");
  // Once its session is over, even the first has none left.
  expect(await downloads.begin(visit(id, "ada", 9000, 5000))).toBe("spent");
  expect(await files.find(id)).toMatchObject({ downloads: 2 });
});

test("of a hundred people at once exactly one begins a one-time link", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const { id } = await readyFile(files, { maxDownloads: 1 });
  const all = Array.from({ length: 100 }, (_, i) => downloads.begin(visit(id, `somebody ${i}`)));
  const begun = await Promise.all(all);
  expect(begun.filter((one) => one === "new")).toHaveLength(1);
  expect(begun.filter((one) => one === "spent")).toHaveLength(99);
  expect(await files.find(id)).toMatchObject({ downloads: 1 });
});

test("of one person's hundred requests at once one begins and the others go on", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const { id } = await readyFile(files, { maxDownloads: 1 });
  const begun = await Promise.all(Array.from({ length: 100 }, () => downloads.begin(visit(id, "ada"))));
  expect(begun.filter((one) => one === "new")).toHaveLength(1);
  expect(begun.filter((one) => one === "again")).toHaveLength(99);
});

test("what is not ready can't be downloaded", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const row = direct();
  await files.insert(row, roomy);
  expect(await downloads.begin(visit(row.id, "ada"))).toBe("gone");
  await files.finish(row, arrived(), undefined);
  expect(await downloads.begin(visit(row.id, "ada"))).toBe("new");
  await files.markDeleting(row.id);
  for (const who of ["ada", "bob"]) expect(await downloads.begin(visit(row.id, who))).toBe("gone");
  expect(await downloads.begin(visit("unknown", "ada"))).toBe("gone");
});

test("sessions are dropped when they are old, and go with their file", async () => {
  await using opened = await openTestStore();
  const { files, downloads } = opened.store;
  const [first, second] = [await readyFile(files), await readyFile(files)];
  await downloads.begin(visit(first.id, "ada", 1000));
  await downloads.begin(visit(first.id, "bob", 2000));
  await downloads.begin(visit(second.id, "ada", 3000));
  expect(await downloads.drop(1000, 10)).toBe(0);
  expect(await downloads.drop(2001, 1)).toBe(1);
  expect(await downloads.drop(2001, 10)).toBe(1);
  await files.markDeleting(second.id);
  await files.remove([second.id], 1);
  expect(await downloads.drop(1e9, 10)).toBe(0);
});
