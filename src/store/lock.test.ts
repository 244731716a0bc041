import { expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockPath } from "./data-dir.ts";
import { lockDataDir } from "./lock.ts";
import { testFolder } from "./open-test-store.ts";

const holder = fileURLToPath(new URL("./holder.fixture.ts", import.meta.url));

/** Another process that tries to take the lock; what it says. */
async function startHolder(dataDir: string) {
  const child = Bun.spawn([process.execPath, holder, dataDir], { stdin: "pipe", stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

test("a data dir has one holder, and the next one comes when it lets go", async () => {
  await using folder = await testFolder();
  const lock = lockDataDir(folder.path);
  expect(lock).toBeDefined();
  expect(lockDataDir(folder.path)).toBeUndefined();
  const refused = await startHolder(folder.path);
  expect(refused.said).toBe("refused");
  await refused.child.exited;

  lock?.[Symbol.dispose]();
  const taken = await startHolder(folder.path);
  expect(taken.said).toBe("taken");
  expect(lockDataDir(folder.path)).toBeUndefined();
  await taken.child.stdin.end();
  await taken.child.exited;
  using again = lockDataDir(folder.path);
  expect(again).toBeDefined();
});

test("kill -9 frees the lock", async () => {
  await using folder = await testFolder();
  const { child, said } = await startHolder(folder.path);
  expect(said).toBe("taken");
  expect(lockDataDir(folder.path)).toBeUndefined();
  child.kill("SIGKILL");
  await child.exited;
  using lock = lockDataDir(folder.path);
  expect(lock).toBeDefined();
});

test("it makes the data dir if need be", async () => {
  await using folder = await testFolder();
  using lock = lockDataDir(join(folder.path, "not", "there"));
  expect(lock).toBeDefined();
});

test("a data dir that can't be written to is said, and not taken for one that is in use", async () => {
  await using folder = await testFolder();
  const file = join(folder.path, "file");
  await writeFile(file, "");
  expect(() => lockDataDir(file)).toThrow(expect.objectContaining({ code: "data_dir.unwritable" }));
  await mkdir(lockPath(folder.path));
  expect(() => lockDataDir(folder.path)).toThrow(expect.objectContaining({ code: "data_dir.unwritable" }));
});
