import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { databasePath } from "./data-dir.ts";
import { openTestStore } from "./open-test-store.ts";
import { rememberRows } from "./row-memory.ts";
import { link, roomy } from "./rows.fixture.ts";

/** By then a change of another process is seen. */
function aMillisecondLater(): void {
  const began = performance.now();
  while (performance.now() - began <= 1);
}

/** A link in a database that is open twice: by the store, and by `other`, as another process would. */
async function openTwice() {
  const opened = await openTestStore();
  const row = link({ name: "first" });
  await opened.store.files.insert(row, roomy);
  const other = new Database(databasePath(opened.dataDir));
  return {
    id: row.id,
    files: opened.store.files,
    other,
    rename: (name: string) => other.run("update files set name = ?", [name]),
    async [Symbol.asyncDispose]() {
      other.close();
      await opened[Symbol.asyncDispose]();
    },
  };
}

test("a row is read again only when the database has changed", async () => {
  await using twice = await openTwice();
  const reads: string[] = [];
  const index = rememberRows({
    client: twice.other,
    run: async (work) => work(),
    index: {
      ...twice.files,
      find(id) {
        reads.push(id);
        return twice.files.find(id);
      },
    },
  });
  const find = async () => (await index.find(twice.id))?.name;

  for (let time = 0; time < 5; time += 1) expect(await find()).toBe("first");
  expect(reads.length).toBe(1);
  twice.rename("by this connection");
  aMillisecondLater();
  for (let time = 0; time < 5; time += 1) expect(await find()).toBe("by this connection");
  expect(reads.length).toBe(2);
  await twice.files.markDeleting(twice.id);
  aMillisecondLater();
  for (let time = 0; time < 5; time += 1) expect((await index.find(twice.id))?.state).toBe("deleting");
  expect(reads.length).toBe(3);
});

test("the store's own changes are seen by the very next look, those of another process a millisecond later", async () => {
  await using twice = await openTwice();
  for (let time = 0; time < 20; time += 1) {
    twice.rename(`name ${time}`);
    aMillisecondLater();
    expect((await twice.files.find(twice.id))?.name).toBe(`name ${time}`);
    expect((await twice.files.find(twice.id))?.name).toBe(`name ${time}`);
  }
  await twice.files.markDeleting(twice.id);
  expect((await twice.files.find(twice.id))?.state).toBe("deleting");
  await twice.files.remove([twice.id], 2000);
  expect(await twice.files.find(twice.id)).toBeUndefined();
});

test("a row that changed while it was on its way is not remembered", async () => {
  await using twice = await openTwice();
  const held = Promise.withResolvers<void>();
  let hold = true;
  const index = rememberRows({
    client: twice.other,
    run: async (work) => work(),
    index: {
      ...twice.files,
      async find(id) {
        const row = await twice.files.find(id);
        if (hold) await held.promise;
        return row;
      },
    },
  });
  const early = index.find(twice.id);
  // Its read is done, its answer isn't.
  await twice.files.find(twice.id);
  hold = false;
  twice.rename("second");
  aMillisecondLater();
  expect((await index.find(twice.id))?.name).toBe("second");
  held.resolve();
  expect((await early)?.name).toBe("first");
  expect((await index.find(twice.id))?.name).toBe("second");
});
