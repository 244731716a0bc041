import { expect, test } from "bun:test";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { $ } from "bun";
import { newCapability } from "../../lib/capability.ts";
import { testFolder } from "../open-test-store.ts";
import { blobStoreContract } from "./contract.ts";
import { openDiskBlobs } from "./disk.ts";

async function openTestBlobs() {
  const folder = await testFolder();
  const dir = join(folder.path, "files");
  return {
    dir,
    blobs: await openDiskBlobs({ dir }),
    crash: () => openDiskBlobs({ dir }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

blobStoreContract(openTestBlobs);

const bytes = new TextEncoder().encode("bytes");

test("blobs are their owner's alone", async () => {
  await using opened = await openTestBlobs();
  const key = newCapability();
  const writer = await opened.blobs.create(key);
  await writer.write(bytes);
  await writer.commit();
  expect((await stat(opened.dir)).mode & 0o777).toBe(0o700);
  expect((await stat(join(opened.dir, key.slice(0, 1), key))).mode & 0o777).toBe(0o600);
});

test("a commit whose name is taken by a folder fails, and leaves nothing once it is aborted", async () => {
  await using opened = await openTestBlobs();
  const key = newCapability();
  const writer = await opened.blobs.create(key);
  await writer.write(bytes);
  await mkdir(join(opened.dir, key.slice(0, 1), key, "in the way"), { recursive: true });
  await expect(writer.commit()).rejects.toMatchObject({ code: "disk.failed", cause: expect.any(Error) });
  await writer.abort();
  expect(await readdir(join(opened.dir, "incoming"))).toEqual([]);
});

test("bytes that went missing on the way are noticed before the commit", async () => {
  await using opened = await openTestBlobs();
  const key = newCapability();
  const writer = await opened.blobs.create(key);
  await writer.write(bytes);
  const [name = ""] = await readdir(join(opened.dir, "incoming"));
  await writeFile(join(opened.dir, "incoming", name), "byt");
  await expect(writer.commit()).rejects.toMatchObject({ code: "disk.failed" });
  await writer.abort();
  expect(await opened.blobs.open(key)).toBeUndefined();
});

test("a disk that is gone is a failed disk; it is made ready again at the next start", async () => {
  await using opened = await openTestBlobs();
  await rename(opened.dir, `${opened.dir}-gone`);
  const key = newCapability();
  await expect(opened.blobs.create(key)).rejects.toMatchObject({ code: "disk.failed" });
  await expect(opened.blobs.free()).rejects.toMatchObject({ code: "disk.failed" });
  await expect(opened.blobs.sweep(() => false)).rejects.toMatchObject({ code: "disk.failed" });
  await expect(Array.fromAsync(opened.blobs.keys())).rejects.toMatchObject({ code: "disk.failed" });
  const blobs = await opened.crash();
  await (await blobs.create(key)).abort();
});

test("a folder where files should be is said", async () => {
  await using folder = await testFolder();
  await writeFile(join(folder.path, "files"), "");
  await expect(openDiskBlobs({ dir: join(folder.path, "files") })).rejects.toMatchObject({
    code: "disk.failed",
  });
});

test("what others keep in the folder is neither listed nor swept", async () => {
  await using opened = await openTestBlobs();
  await writeFile(join(opened.dir, "incoming", "notes.txt"), "mine");
  await writeFile(join(opened.dir, "README"), "mine");
  await writeFile(join(opened.dir, "A", ".DS_Store"), "mine");
  await mkdir(join(opened.dir, "lost+found"));
  expect(await Array.fromAsync(opened.blobs.keys())).toEqual([]);
  expect(await opened.blobs.sweep(() => false)).toBe(0);
  expect(await Bun.file(join(opened.dir, "incoming", "notes.txt")).text()).toBe("mine");
  await rm(join(opened.dir, "README"));
});

const mayMount = (await $`unshare -rm true`.nothrow().quiet()).exitCode === 0;

// A disk of 2 MB that nobody else sees. Where mounting is forbidden, it is skipped.
test.skipIf(!mayMount)(
  "a full disk is said by blobs and database, which go on once there is room",
  async () => {
    await using folder = await testFolder();
    const script = fileURLToPath(new URL("./full-disk.fixture.ts", import.meta.url));
    const mount = `mount -t tmpfs -o size=2m none ${folder.path} && ${process.execPath} ${script} ${folder.path}`;
    const said = await $`unshare -rm sh -c ${mount}`.json();
    expect(said).toEqual({
      blob: "disk.full",
      left: [],
      row: "disk.full",
      rowAfterwards: true,
      blobAfterwards: "bytes",
    });
  },
);
