import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import journal from "../../drizzle/meta/_journal.json";
import { allRows } from "../files/rows.ts";
import { openDiskBlobs } from "./blobs/disk.ts";
import { blobsPath, databasePath } from "./data-dir.ts";
import { migrations, openStore, upgrade } from "./open.ts";
import { quiet, testFolder } from "./open-test-store.ts";
import * as schema from "./schema.ts";

const root = join(import.meta.dir, "../..");
const tags = journal.entries.map(({ tag }) => tag);

/** A database as the release with the migrations up to `tag` left it, rows of every kind included. */
async function makeReleased(dataDir: string, tag: string): Promise<void> {
  const database = new Database(databasePath(dataDir), { create: true });
  upgrade(database, migrations.slice(0, tags.indexOf(tag) + 1));
  database.run(await Bun.file(join(import.meta.dir, "fixtures", `${tag}.sql`)).text());
  database.close();
}

/** Every row of every table. */
function contents(dataDir: string): Record<string, unknown[]> {
  const database = new Database(databasePath(dataDir), { readonly: true });
  const tables = database
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("sqlite_") && name !== "__drizzle_migrations");
  const rows = tables.map((table) => [table, database.query(`SELECT * FROM ${table} ORDER BY rowid`).all()]);
  database.close();
  return Object.fromEntries(rows);
}

// A new migration needs its own fixture here: rows as that release writes them.
test.each(tags)("a database of %s upgrades by itself, with its rows", async (tag) => {
  await using folder = await testFolder();
  await makeReleased(folder.path, tag);
  const before = contents(folder.path);
  for (const rows of Object.values(before)) expect(rows.length).toBeGreaterThan(0);
  // Turns have taken their place.
  const { answers: _, ...kept } = before;

  const upgraded: object[] = [];
  const log = { ...quiet, info: (fields: object) => upgraded.push(fields) };
  const store = await openStore({ dataDir: folder.path, log });
  const lacked = tags.length - tags.indexOf(tag) - 1;
  expect(upgraded).toEqual(lacked > 0 ? [{ migrations: lacked }] : []);
  expect(await store.files.findByTicket("3".repeat(64))).toMatchObject({ name: "Übung 1.pdf", size: 12_345 });
  expect(await store.files.findByTicket("5".repeat(64))).toMatchObject({ outcome: "used" });
  expect(await store.announcements.due(1.8e12, 10)).toHaveLength(1);
  expect(await store.turns.unfinished()).toHaveLength(1);
  for await (const { id, expected, blobKey, size } of allRows(store.files, {
    states: ["ready"],
    members: true,
  })) {
    if (expected !== null) continue;
    expect({ id, size: (await store.blobs.find(blobKey ?? ""))?.size }).toEqual({ id, size });
  }
  await store[Symbol.asyncDispose]();
  expect(contents(folder.path)).toMatchObject(kept);
});

/** An id as the fixtures have them. */
const idOf = (name: string) => name.padEnd(22, "A");

/** A file of 0000_first, where its bytes lay under its id. */
async function addFirst(dataDir: string, { id, text }: { id: string; text: string }): Promise<void> {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const database = new Database(databasePath(dataDir));
  database.run(
    `INSERT INTO files (id, owner_id, state, name, size, content_type, sha256, created_at, ready_at, expires_at)
     VALUES (?, 'admin', 'ready', 'a.txt', ?, 'text/plain', ?, 1, 2, 1800000000000)`,
    [id, text.length, sha256],
  );
  database.close();
  await Bun.write(join(blobsPath(dataDir), id.slice(0, 1), id), text);
}

test("after the upgrade of 0000_first every file has its own bytes, whichever copy was damaged since", async () => {
  await using folder = await testFolder();
  await makeReleased(folder.path, "0000_first");
  const texts = {
    [idOf("y")]: "same",
    [idOf("x")]: "same",
    [idOf("z")]: "other",
  };
  for (const [id, text] of Object.entries(texts)) await addFirst(folder.path, { id, text });

  await using store = await openStore({ dataDir: folder.path, log: quiet });
  const disk = await openDiskBlobs({ dir: blobsPath(folder.path) });
  const keys = new Map<string, string | null>();
  for (const [id, text] of Object.entries(texts)) {
    const row = await store.files.find(id);
    keys.set(id, row?.blobKey ?? null);
    expect(await (await disk.open(row?.blobKey ?? ""))?.text()).toBe(text);
  }
  expect([...keys.values()]).toEqual([idOf("y"), idOf("x"), idOf("z")]);
  const { sha256 = "", size = 0 } = (await store.blobs.find(idOf("y"))) ?? {};
  expect(await store.blobs.findContent(sha256, size)).toMatchObject({ key: idOf("x") });
  // Nobody ever computed their CRC-32, and they were checked when they arrived.
  expect(await store.blobs.find(idOf("z"))).toMatchObject({ size: 5, crc32: null, place: "disk" });
  expect(await store.blobs.unchecked(2, 10)).toEqual([]);
  expect(await store.blobs.unchecked(3, 10)).toHaveLength(3);
});

test("what 0000_first had on its way, or half deleted, is found under its id after the upgrade", async () => {
  await using folder = await testFolder();
  await makeReleased(folder.path, "0000_first");
  await using store = await openStore({ dataDir: folder.path, log: quiet });
  const ids = {
    pending: idOf("pending"),
    uploading: idOf("uploading"),
    deleting: idOf("deleting"),
  };
  expect(await store.files.find(ids.pending)).toMatchObject({ uploadKey: null, blobKey: null });
  expect(await store.files.release([ids.uploading])).toEqual([ids.uploading]);
  expect(await store.files.retire([ids.deleting])).toEqual([
    { id: ids.deleting, key: ids.deleting, place: "disk" },
  ]);
  await store.files.remove([ids.deleting], 1.8e12);
  expect(await store.files.findByTicket("4".repeat(64))).toMatchObject({ outcome: "used" });
});

test.each(["0000_first", "0001_shares"])(
  "an answer that was being written as %s was upgraded is found by its message, and can be ended",
  async (tag) => {
    await using folder = await testFolder();
    await makeReleased(folder.path, tag);
    await using store = await openStore({ dataDir: folder.path, log: quiet });
    const id = idOf("answering");
    const found = await store.turns.shownBy("4");
    expect(found).toEqual({
      id,
      conversation: id,
      parentId: null,
      depth: 0,
      tokens: 0,
      userId: "100000000000000001",
      userName: "",
      model: "llama3.2",
      state: "answering",
      place: {
        guildId: "1",
        channelId: "2",
        messageId: "4",
        applicationId: "3",
        interactionToken: "t",
        interactionAt: 1_700_000_000_000,
      },
      createdAt: 1_700_000_000_000,
      endedAt: null,
      errorCode: null,
      vote: 0,
      question: "",
      documents: "",
      text: "",
      thinking: "",
    });
    // What had ended is not carried along: nothing but its place was known.
    expect(await store.turns.shownBy("5")).toBeUndefined();
    const end = { state: "interrupted", endedAt: 1.8e12, text: "", thinking: "", tokens: 0 } as const;
    await store.turns.end(id, end);
    expect(await store.turns.unfinished()).toEqual([]);
  },
);

test("rebuilding a table leaves the rows that point at it", async () => {
  await using folder = await testFolder();
  const tag = tags.at(-1) ?? "";
  await makeReleased(folder.path, tag);
  const before = contents(folder.path);
  const database = new Database(databasePath(folder.path));
  database.run("PRAGMA foreign_keys = ON");
  const create = database
    .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE name = 'files'")
    .get()
    ?.sql.replaceAll(/[`"]files[`"]/g, "`__new_files`");
  // What drizzle-kit generates for a changed constraint.
  const sql = [
    "PRAGMA foreign_keys=OFF;",
    create ?? "",
    "INSERT INTO `__new_files` SELECT * FROM `files`;",
    "DROP TABLE `files`;",
    "ALTER TABLE `__new_files` RENAME TO `files`;",
    "PRAGMA foreign_keys=ON;",
  ];
  upgrade(database, [...migrations, { sql, bps: true, folderMillis: 9e15, hash: "rebuilt" }]);
  database.close();
  expect(contents(folder.path)).toEqual(before);
});

test("a migration that fails changes nothing", async () => {
  await using folder = await testFolder();
  await makeReleased(folder.path, tags.at(-1) ?? "");
  const before = contents(folder.path);
  const database = new Database(databasePath(folder.path));
  const sql = ["DELETE FROM announcements;", "DROP TABLE places;", "CREATE TABLE files (id);"];
  expect(() =>
    upgrade(database, [...migrations, { sql, bps: true, folderMillis: 9e15, hash: "broken" }]),
  ).toThrow();
  database.close();
  expect(contents(folder.path)).toEqual(before);
});

test("the migrations are in order: drizzle applies those younger than the newest applied", () => {
  const times = migrations.map(({ folderMillis }) => folderMillis);
  expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
});

test("the schema has no change without a migration", async () => {
  const newest = `${tags.length - 1}`.padStart(4, "0");
  const snapshot = await Bun.file(join(root, "drizzle/meta", `${newest}_snapshot.json`)).json();
  const current = await generateSQLiteDrizzleJson({ ...schema });
  expect(await generateSQLiteMigration(snapshot, current)).toEqual([]);
});

test("a compiled binary has them with nothing beside it", async () => {
  await using folder = await testFolder();
  const source = join(folder.path, "source");
  await mkdir(source);
  const main = `import { openStore } from ${JSON.stringify(join(import.meta.dir, "open.ts"))};
const log = { debug() {}, info() {}, warn() {}, error() {} };
await using store = await openStore({ dataDir: process.argv[2], log });
await store.ping();
console.log(JSON.stringify(await store.files.usage("1")));`;
  await Bun.write(join(source, "main.ts"), main);
  const binary = join(folder.path, "binary");
  await $`${process.execPath} build --compile --bytecode --format=esm ${join(source, "main.ts")} --outfile ${binary}`
    .cwd(root)
    .quiet();
  const data = join(folder.path, "data");
  const output = await $`${binary} ${data}`.cwd(folder.path).json();
  expect(output).toEqual({ files: 0, bytes: 0 });
}, 30_000);
