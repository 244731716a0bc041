import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WisError } from "../errors.ts";
import { codeOf, incoming, openTestDesk, type TestDesk } from "../testing/file-desk.ts";
import { append, begin, contentOf, newTicket, owner, sound } from "../testing/resumable.ts";
import type { StoredFile } from "./ports.ts";

const LARGE = "x".repeat(20_000_000);

const add = (desk: TestDesk, text: string, ownerId = owner) =>
  desk.files.add({ ownerId }, incoming({ text }));

/** Other bytes where a file's were. */
async function overwrite(desk: TestDesk, { blobKey }: StoredFile, text: string) {
  const key = blobKey ?? "";
  await writeFile(join(desk.dataDir, "files", key.slice(0, 1), key), text);
}

const remove = (desk: TestDesk, { blobKey }: StoredFile) => desk.blobs.delete(blobKey ?? "");

/** Every file is whole, and after the clean-up nothing else is on the disk. */
async function expectHealed(desk: TestDesk, text: string) {
  for await (const { id } of desk.files.list({})) expect((await contentOf(desk, id)).toString()).toBe(text);
  expect(await desk.cleanUp()).toMatchObject({ failed: 0 });
  expect(await desk.verify()).toEqual(sound);
  expect(await Array.fromAsync(desk.blobs.keys())).toHaveLength(1);
  expect(await desk.store.blobs.total("disk")).toEqual({ blobs: 1, bytes: text.length });
}

test.each([
  ["missing", remove],
  ["shorter", (desk: TestDesk, file: StoredFile) => overwrite(desk, file, "hell")],
  ["other", (desk: TestDesk, file: StoredFile) => overwrite(desk, file, "HELLO")],
])("sending a file again whose bytes are %s mends it, and all that have the same", async (_, damage) => {
  await using desk = await openTestDesk();
  const damaged = await add(desk, "hello");
  await add(desk, "hello", "2");
  await damage(desk, damaged);
  const again = await add(desk, "hello");
  expect(again.blobKey).not.toBe(damaged.blobKey);
  await expectHealed(desk, "hello");
  expect((await add(desk, "hello")).blobKey).toBe(again.blobKey);
});

test("one in parts mends it too, also when its own bytes were in place already", async () => {
  await using desk = await openTestDesk();
  const damaged = await add(desk, "hello");
  await overwrite(desk, damaged, "HELLO");
  const { key } = await begin(desk, await newTicket(desk), 5);
  expect((await append(desk, key, 0, "hello")).file?.blobKey).toBe(key);
  await expectHealed(desk, "hello");
});

test("of a large file it is looked whether it is there and whole; what it holds is the scrub's to say", async () => {
  await using desk = await openTestDesk();
  const first = await add(desk, LARGE);
  await overwrite(desk, first, "y".repeat(LARGE.length));
  expect((await add(desk, LARGE)).blobKey).toBe(first.blobKey);

  await desk.store.blobs.distrust(first.blobKey ?? "");
  expect((await add(desk, LARGE)).blobKey).not.toBe(first.blobKey);
  await expectHealed(desk, LARGE);

  const { blobKey } = await desk.files.get(first.id);
  await overwrite(desk, { ...first, blobKey }, "x");
  expect((await add(desk, LARGE)).blobKey).not.toBe(blobKey);
  await expectHealed(desk, LARGE);
});

test("bytes that can't be read are replaced as well", async () => {
  for (const text of ["hello", LARGE]) {
    let unreadable = "";
    await using desk = await openTestDesk({
      wrapBlobs: (blobs) => ({
        ...blobs,
        async open(key, range) {
          if (key === unreadable) throw new WisError("disk.failed", { say: "The disk does not answer." });
          return await blobs.open(key, range);
        },
      }),
    });
    unreadable = (await add(desk, text)).blobKey ?? "";
    await add(desk, text);
    expect(desk.lines().filter(({ level }) => level === "error")).toHaveLength(1);
    await expectHealed(desk, text);
  }
});

test("whoever had opened the damaged file before it was mended reads the mended one", async () => {
  await using desk = await openTestDesk();
  const damaged = await add(desk, "hello");
  await remove(desk, damaged);
  expect(await codeOf(desk.files.open(damaged))).toBe("file.corrupt");
  await add(desk, "hello");
  await desk.cleanUp();
  expect(await (await desk.files.open(damaged)).text()).toBe("hello");
});

test("damaged bytes that would not go are tried again by the next clean-up", async () => {
  let stuck = "";
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) => ({
      ...blobs,
      async delete(key) {
        if (key === stuck) throw new Error("EIO");
        await blobs.delete(key);
      },
    }),
  });
  const damaged = await add(desk, "hello");
  stuck = damaged.blobKey ?? "";
  await overwrite(desk, damaged, "HELLO");
  await add(desk, "hello");
  expect(await desk.cleanUp()).toMatchObject({ failed: 1 });
  stuck = "";
  await expectHealed(desk, "hello");
});
