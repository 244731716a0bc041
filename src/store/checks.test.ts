import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { configSchema } from "../config/schema.ts";
import type { Finding } from "../doctor/ports.ts";
import { storeChecks } from "./checks.ts";
import { databasePath } from "./data-dir.ts";
import { openStore } from "./open.ts";
import { openTestStore, quiet, testFolder } from "./open-test-store.ts";

async function check(code: string, dataDir: string, minFreeDisk = "1B"): Promise<Finding> {
  const config = configSchema.parse({ files: { min_free_disk: minFreeDisk } });
  const found = storeChecks({ config, dataDir }).find((one) => one.code === code);
  if (!found) throw new Error(`no check ${code}`);
  return await found.run(new AbortController().signal);
}

const codes = ["data_dir.writable", "data_dir.space", "database.openable", "database.schema"];

test.each(codes)("%s is ok beside a running wisbot, and leaves nothing behind", async (code) => {
  await using opened = await openTestStore();
  const before = await readdir(opened.dataDir);
  expect(await check(code, opened.dataDir)).toMatchObject({ severity: "ok" });
  expect(await readdir(opened.dataDir)).toEqual(before);
});

test.each(codes)("%s is ok before the first start, and makes nothing", async (code) => {
  await using folder = await testFolder();
  expect(await check(code, join(folder.path, "not", "yet"))).toMatchObject({ severity: "ok" });
  expect(await readdir(folder.path)).toEqual([]);
});

test.each(codes)("%s is ok on a database at rest, and leaves nothing beside it", async (code) => {
  await using folder = await testFolder();
  await (await openStore({ dataDir: folder.path, log: quiet }))[Symbol.asyncDispose]();
  expect(await check(code, folder.path)).toMatchObject({ severity: "ok" });
  expect(await readdir(folder.path)).toEqual(["wisbot.db"]);
});

test("too little room is said with both numbers", async () => {
  await using folder = await testFolder();
  const finding = await check("data_dir.space", folder.path, "9000TB");
  expect(finding).toMatchObject({ severity: "fail", fix: expect.stringContaining("files.min_free_disk") });
  expect(finding.detail).toContain("9 PB");
});

test("a file in place of the data dir is said", async () => {
  await using folder = await testFolder();
  const path = join(folder.path, "file");
  await writeFile(path, "");
  const finding = await check("data_dir.writable", path);
  expect(finding).toMatchObject({ severity: "fail", detail: expect.stringContaining(path) });
  expect(finding.fix).toContain("--data-dir");
});

test("a damaged database fails the one check, and the other does not guess", async () => {
  await using folder = await testFolder();
  await writeFile(databasePath(folder.path), "not a database, whatever its name says".repeat(200));
  expect(await check("database.openable", folder.path)).toMatchObject({
    severity: "fail",
    fix: expect.stringContaining("backup"),
  });
  expect(await check("database.schema", folder.path)).toMatchObject({ severity: "skip" });
});

test("a newer database can be read, and is of another version", async () => {
  await using folder = await testFolder();
  await (await openStore({ dataDir: folder.path, log: quiet }))[Symbol.asyncDispose]();
  const database = new Database(databasePath(folder.path));
  database.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('future', 99999999999999)");
  database.close();
  expect(await check("database.openable", folder.path)).toMatchObject({ severity: "ok" });
  expect(await check("database.schema", folder.path)).toMatchObject({
    severity: "fail",
    detail: expect.stringContaining("newer"),
  });
});

test("an older database is to be upgraded by the next start", async () => {
  await using folder = await testFolder();
  const database = new Database(databasePath(folder.path), { create: true });
  database.run("CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text, created_at numeric)");
  database.close();
  expect(await check("database.schema", folder.path)).toMatchObject({
    severity: "ok",
    detail: expect.stringContaining("next start upgrades"),
  });
});

// The administrator may write everywhere: only as an ordinary user does a permission refuse.
const ordinary = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const script = fileURLToPath(new URL("./check.fixture.ts", import.meta.url));
// Not when the sources lie in the administrator's own folder.
const mayRun = spawnSync(process.execPath, [script, "data_dir.space", tmpdir()], ordinary).status === 0;

async function checkAsOrdinaryUser(code: string, dataDir: string): Promise<Finding> {
  const child = spawn(process.execPath, [script, code, dataDir], {
    ...ordinary,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout));
}

test.skipIf(!mayRun)("a data dir of another user is said with the command that hands it over", async () => {
  await using folder = await testFolder();
  await chmod(folder.path, 0o755);
  const dataDir = join(folder.path, "it's here");
  await mkdir(dataDir, { mode: 0o555 });
  const finding = await checkAsOrdinaryUser("data_dir.writable", dataDir);
  expect(finding).toMatchObject({ severity: "fail", detail: expect.stringContaining(dataDir) });
  expect(finding.fix).toMatch(/sudo chown -R \d+:\d+ '.*it'\\''s here'/);

  await chmod(dataDir, 0o000);
  for (const code of ["database.openable", "database.schema"]) {
    expect(await checkAsOrdinaryUser(code, dataDir)).toMatchObject({ severity: "skip" });
  }
  await chmod(dataDir, 0o555);

  const missing = await checkAsOrdinaryUser("data_dir.writable", join(dataDir, "below"));
  expect(missing).toMatchObject({ severity: "fail", fix: expect.stringContaining("sudo mkdir -p") });
});

test.skipIf(!mayRun)("a database that one start as another user left is said too", async () => {
  await using folder = await testFolder();
  await chmod(folder.path, 0o777);
  await writeFile(databasePath(folder.path), "", { mode: 0o444 });
  const finding = await checkAsOrdinaryUser("data_dir.writable", folder.path);
  expect(finding).toMatchObject({ severity: "fail", fix: expect.stringContaining("sudo chown -R") });
  await rm(databasePath(folder.path));
  expect(await checkAsOrdinaryUser("data_dir.writable", folder.path)).toMatchObject({ severity: "ok" });
});
