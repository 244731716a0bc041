import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { rename } from "node:fs/promises";
import { createCheckpointer } from "./checkpoint.ts";
import { connect, setPragmas, trackStatements } from "./connection.ts";
import { databasePath } from "./data-dir.ts";
import { quiet, testFolder } from "./open-test-store.ts";

/** A connection of the store to a database of its own with one table. */
async function openTestConnection() {
  const folder = await testFolder();
  const client = new Database(databasePath(folder.path), { create: true });
  const close = trackStatements(client);
  setPragmas(client);
  client.run("CREATE TABLE notes (text)");
  const connection = await connect({ client, log: quiet });
  return {
    client,
    connection,
    write: () => connection.run(() => client.run("INSERT INTO notes VALUES (randomblob(4000))")),
    count: () => client.prepare<{ n: number }, []>("SELECT count(*) AS n FROM notes").get()?.n ?? 0,
    async [Symbol.asyncDispose]() {
      await connection.close();
      close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test.each([
  ["journal_mode", "wal"],
  ["synchronous", 1],
  ["foreign_keys", 1],
  ["trusted_schema", 0],
  ["busy_timeout", 0],
])("%s is %p", async (pragma, value) => {
  await using opened = await openTestConnection();
  expect(Object.values(opened.client.prepare(`PRAGMA ${pragma}`).get() ?? {})).toEqual([value]);
});

test("a full disk is said to be full, leaves what was there, and is forgotten once there is room", async () => {
  await using opened = await openTestConnection();
  const { client, write, count } = opened;
  await write();
  // SQLite answers at this limit as it does to ENOSPC.
  client.run("PRAGMA max_page_count = 20");
  const fill = async () => {
    while (true) await write();
  };
  await expect(fill()).rejects.toMatchObject({ code: "disk.full", hint: expect.stringContaining("room") });
  const kept = count();
  expect(kept).toBeGreaterThan(5);
  client.run("PRAGMA max_page_count = 4294967294");
  await write();
  expect(count()).toBe(kept + 1);
});

test("a defect stays a defect: only what SQLite refuses becomes a failure of the database", async () => {
  await using opened = await openTestConnection();
  const { connection, client } = opened;
  const defect = new TypeError("not SQLite's fault");
  const throwing = () => {
    throw defect;
  };
  await expect(connection.run(throwing)).rejects.toBe(defect);
  await expect(connection.run(() => client.run("INSERT INTO missing VALUES (1)"))).rejects.toMatchObject({
    code: "database.failed",
    cause: { code: "SQLITE_ERROR" },
  });
});

test("everybody who waits for the disk is answered, however many they are", async () => {
  await using opened = await openTestConnection();
  const { connection, client } = opened;
  const writes = Array.from({ length: 200 }, () =>
    connection.keep(() => client.run("INSERT INTO notes VALUES (1)").changes),
  );
  expect(new Set(await Promise.all(writes))).toEqual(new Set([1]));
  expect(opened.count()).toBe(200);
});

test("while the database is written anew reads are answered, and writes come through afterwards", async () => {
  await using opened = await openTestConnection();
  const { connection, client, count, write } = opened;
  for (let i = 0; i < 2000; i += 1) await write();
  await connection.run(() => client.run("DELETE FROM notes WHERE rowid > 1000"));
  let rebuilding = true;
  const rebuilt = connection.rebuild().finally(() => {
    rebuilding = false;
  });
  const answers = new Set<number>();
  const writes = [];
  while (rebuilding) {
    answers.add(await connection.run(count));
    writes.push(write());
    await new Promise((resolve) => setImmediate(resolve));
  }
  await rebuilt;
  await Promise.all(writes);
  expect(answers).toContain(1000);
  expect(count()).toBe(1000 + writes.length);
});

test("what was deleted is in the database's files until they are written anew", async () => {
  await using opened = await openTestConnection();
  const { connection, client } = opened;
  const has = async (text: string) => {
    const files = ["", "-wal"].map((end) => Bun.file(`${client.filename}${end}`).bytes());
    return (await Promise.all(files)).some((bytes) => Buffer.from(bytes).includes(text));
  };
  await connection.run(() => client.run("INSERT INTO notes VALUES ('nobody may know')"));
  await connection.run(() => client.run("DELETE FROM notes"));
  expect(await has("nobody may know")).toBe(true);
  await connection.rebuild();
  expect(await has("nobody may know")).toBe(false);
});

test("that it can't be written anew is said, and can be tried again", async () => {
  await using opened = await openTestConnection();
  const { connection, client } = opened;
  const elsewhere = `${client.filename}.away`;
  await rename(client.filename, elsewhere);
  await expect(connection.rebuild()).rejects.toMatchObject({
    code: "data_dir.unwritable",
    cause: { message: expect.stringContaining("anew") },
  });
  await rename(elsewhere, client.filename);
  await connection.rebuild();
});

test("a long log is copied into the database by itself, off the event loop", async () => {
  await using opened = await openTestConnection();
  const { client } = opened;
  const checkpointer = createCheckpointer({ client, log: quiet });
  client.run("BEGIN");
  for (let i = 0; i < 4200; i += 1) client.run("INSERT INTO notes VALUES (randomblob(4000))");
  client.run("COMMIT");
  const log = () =>
    client.prepare<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(NOOP)").get();
  expect(log()).toMatchObject({ checkpointed: 0 });

  for (let i = 0; i < 64; i += 1) checkpointer.ran();
  await checkpointer.idle();
  const after = log();
  expect(after?.log).toBeGreaterThan(4000);
  expect(after?.checkpointed).toBe(after?.log ?? -1);
});

test.each([
  ["ends without a word", "process.exit(3)"],
  ["fails", "throw new Error('no such disk')"],
])("a thread that %s is a warning, and is not waited for", async (_, thread) => {
  await using opened = await openTestConnection();
  const { client } = opened;
  const warnings: string[] = [];
  const log = { ...quiet, warn: (_: object, message: string) => warnings.push(message) };
  const checkpointer = createCheckpointer({ client, log, thread });
  client.run("BEGIN");
  for (let i = 0; i < 4200; i += 1) client.run("INSERT INTO notes VALUES (randomblob(4000))");
  client.run("COMMIT");
  for (let i = 0; i < 64; i += 1) checkpointer.ran();
  await checkpointer.idle();
  expect(warnings).toEqual(["the database's log could not be shortened"]);
});

test("a log that can't be shortened is a warning, not the end", async () => {
  await using folder = await testFolder();
  const client = new Database(databasePath(folder.path), { create: true });
  client.run("PRAGMA journal_mode = WAL");
  client.run("CREATE TABLE notes (text)");
  const warnings: string[] = [];
  const log = { ...quiet, warn: (_: object, message: string) => warnings.push(message) };
  // A name under which the thread finds no database.
  const elsewhere = new Proxy(client, {
    get(target, key) {
      if (key === "filename") return folder.path;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const checkpointer = createCheckpointer({ client: elsewhere, log });
  client.run("BEGIN");
  for (let i = 0; i < 4200; i += 1) client.run("INSERT INTO notes VALUES (randomblob(4000))");
  client.run("COMMIT");
  for (let i = 0; i < 64; i += 1) checkpointer.ran();
  await checkpointer.idle();
  client.close();
  expect(warnings).toEqual(["the database's log could not be shortened"]);
});
