import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdir, rename, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { databasePath } from "./data-dir.ts";
import { openStore } from "./open.ts";
import { openTestStore, quiet, testFolder } from "./open-test-store.ts";
import { link, owner } from "./rows.fixture.ts";

const limits = { maxFiles: 1e6, maxBytes: 1e9 };

/** A database that was used and closed. */
async function usedDatabase(dataDir: string, rows = 3): Promise<void> {
  await using store = await openStore({ dataDir, log: quiet });
  for (let i = 0; i < rows; i += 1) await store.files.insert(link(), limits);
}

/** Names, sizes, times of change and contents of everything in the folder. */
async function snapshot(folder: string) {
  const names = (await readdir(folder)).toSorted();
  return await Promise.all(
    names.map(async (name) => {
      const { mtimeMs, size } = await stat(join(folder, name));
      return { name, mtimeMs, size, hash: Bun.hash(await Bun.file(join(folder, name)).arrayBuffer()) };
    }),
  );
}

test("a new database is its owner's alone, and so is the folder", async () => {
  await using folder = await testFolder();
  const dataDir = join(folder.path, "deep", "data");
  await using store = await openStore({ dataDir, log: quiet });
  await store.files.insert(link(), limits);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(dataDir)) expect((await stat(join(dataDir, name))).mode & 0o077).toBe(0);
});

test("an empty file, as a crash at the first start leaves it, becomes a database", async () => {
  await using folder = await testFolder();
  await Bun.write(databasePath(folder.path), "");
  await using store = await openStore({ dataDir: folder.path, log: quiet });
  await store.ping();
});

test("a closed database is one file, and opens with its rows", async () => {
  await using folder = await testFolder();
  await usedDatabase(folder.path);
  expect(await readdir(folder.path)).toEqual(["wisbot.db"]);
  await using store = await openStore({ dataDir: folder.path, log: quiet });
  expect(await store.files.usage(owner)).toEqual({ files: 3, bytes: 0 });
});

test("a database that was copied together with its log opens with what is in the log", async () => {
  await using folder = await testFolder();
  await using opened = await openTestStore();
  await opened.store.files.insert(link(), limits);
  for (const end of ["", "-wal"]) {
    const path = `${databasePath(opened.dataDir)}${end}`;
    await Bun.write(`${databasePath(folder.path)}${end}`, Bun.file(path));
  }
  await using store = await openStore({ dataDir: folder.path, log: quiet });
  expect(await store.files.usage(owner)).toEqual({ files: 1, bytes: 0 });
});

const damages: Record<string, (path: string) => Promise<unknown>> = {
  "text in its place": (path) => Bun.write(path, "these are not the bytes you look for\n".repeat(100)),
  "a file shorter than a header": (path) => Bun.write(path, "SQLite"),
  "one that was cut off": async (path) => truncate(path, (await stat(path)).size / 2),
  "a page of noise": async (path) => {
    const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
    bytes.subarray(4096 * 6, 4096 * 9).fill(0xa5);
    await Bun.write(path, bytes);
  },
  "another program's database": async (path) => {
    await Bun.file(path).delete();
    const other = new Database(path);
    other.run("CREATE TABLE notes (text)");
    other.close();
  },
};

test.each(Object.entries(damages))("%s is a corrupt database, and stays as it is", async (_, damage) => {
  await using folder = await testFolder();
  await usedDatabase(folder.path);
  await damage(databasePath(folder.path));
  const before = await snapshot(folder.path);
  await expect(openStore({ dataDir: folder.path, log: quiet })).rejects.toMatchObject({
    code: "database.corrupt",
    hint: expect.stringContaining("backup"),
  });
  expect(await snapshot(folder.path)).toEqual(before);
});

test("a database of a newer wisbot is refused, and stays as it is", async () => {
  await using folder = await testFolder();
  await usedDatabase(folder.path);
  const database = new Database(databasePath(folder.path));
  database.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('future', 99999999999999)");
  database.run("ALTER TABLE files ADD COLUMN colour text");
  database.close();
  const before = await snapshot(folder.path);
  for (const migrate of [true, false]) {
    await expect(openStore({ dataDir: folder.path, log: quiet, migrate })).rejects.toMatchObject({
      code: "database.newer",
      hint: expect.stringContaining("newer WisBot"),
    });
  }
  expect(await snapshot(folder.path)).toEqual(before);
});

test("a newer database whose process was killed is refused too, though all of it is in the log", async () => {
  await using folder = await testFolder();
  await using opened = await openTestStore();
  const writer = new Database(databasePath(opened.dataDir));
  writer.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('future', 99999999999999)");
  writer.close();
  for (const end of ["", "-wal"]) {
    await Bun.write(`${databasePath(folder.path)}${end}`, Bun.file(`${databasePath(opened.dataDir)}${end}`));
  }
  const before = (await snapshot(folder.path)).map(({ hash }) => hash);
  await expect(openStore({ dataDir: folder.path, log: quiet })).rejects.toMatchObject({
    code: "database.newer",
  });
  const after = (await snapshot(folder.path)).filter(({ name }) => !name.endsWith("-shm"));
  expect(after.map(({ hash }) => hash)).toEqual(before);
});

test.each([
  ["not there yet", async () => {}, "set it up"],
  ["empty", async (path: string) => void (await Bun.write(path, "")), "set it up"],
  ["of an older wisbot", async (path: string) => makeOlder(path), "older"],
])("beside a running wisbot, a database that is %s is refused and left alone", async (_, prepare, say) => {
  await using folder = await testFolder();
  await prepare(databasePath(folder.path));
  const before = await snapshot(folder.path);
  await expect(openStore({ dataDir: folder.path, log: quiet, migrate: false })).rejects.toMatchObject({
    code: "data_dir.locked",
    say: expect.stringContaining(say),
  });
  expect(await snapshot(folder.path)).toEqual(before);
});

function makeOlder(path: string) {
  const database = new Database(path, { create: true });
  database.run("CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text, created_at numeric)");
  database.close();
}

test("beside a running wisbot, a database of this version opens", async () => {
  await using opened = await openTestStore();
  await using beside = await openStore({ dataDir: opened.dataDir, log: quiet, migrate: false });
  await beside.files.insert(link(), limits);
  expect(await opened.store.files.usage(owner)).toEqual({ files: 1, bytes: 0 });
});

test("a data dir that can't be made is said with what to do", async () => {
  await using folder = await testFolder();
  const file = join(folder.path, "file");
  await Bun.write(file, "");
  for (const dataDir of [file, join(file, "below")]) {
    await expect(openStore({ dataDir, log: quiet })).rejects.toMatchObject({
      code: "data_dir.unwritable",
      say: expect.stringContaining(dataDir),
      hint: expect.stringContaining("--data-dir"),
    });
  }
});

test("ping notices that the database was moved away under it", async () => {
  await using opened = await openTestStore();
  await opened.store.ping();
  await rename(databasePath(opened.dataDir), join(opened.dataDir, "moved.db"));
  await expect(opened.store.ping()).rejects.toMatchObject({ code: "database.failed" });
  await Bun.write(databasePath(opened.dataDir), "another");
  await expect(opened.store.ping()).rejects.toMatchObject({ code: "database.failed" });
});

test("a write waits for another process's without holding up the event loop", async () => {
  await using opened = await openTestStore();
  const other = new Database(databasePath(opened.dataDir));
  other.run("BEGIN IMMEDIATE");
  let turns = 0;
  const inserting = opened.store.files.insert(link(), limits).finally(() => other.close());
  while (turns < 50) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  expect(await opened.store.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  other.run("COMMIT");
  expect(await inserting).toBe(true);
});

test("a database that lacks a table it should have is a failure, and is closed again", async () => {
  await using folder = await testFolder();
  await usedDatabase(folder.path);
  const database = new Database(databasePath(folder.path));
  database.run("DROP TABLE turns");
  database.close();
  await expect(openStore({ dataDir: folder.path, log: quiet })).rejects.toMatchObject({
    code: "database.failed",
  });
  expect(await readdir(folder.path)).toEqual(["wisbot.db"]);
});
