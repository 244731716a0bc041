import { expect, test } from "bun:test";
import {
  incoming,
  openTestDesk,
  slowBody,
  type TestDesk,
  type TestDeskOptions,
  ticketIn,
} from "../testing/file-desk.ts";
import type { BlobStore } from "./blob-ports.ts";
import { DEAD_AFTER } from "./live-uploads.ts";
import type { FileIndex } from "./ports.ts";

const owner = "111111111111111111";
const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };
const nothing = { uploads: 0, deletions: 0, fragments: 0, failed: 0 };

/** A process that dies the moment it gets to a step: nothing after it happens, not even an error. */
function deathAt(step: string): { options: TestDeskOptions; dead: Promise<void> } {
  const dead = Promise.withResolvers<void>();
  const die = () => {
    dead.resolve();
    return new Promise<never>(() => undefined);
  };
  const before =
    <A extends unknown[], R>(name: string, run: (...args: A) => Promise<R>) =>
    async (...args: A) =>
      step === `before ${name}` ? await die() : await run(...args);
  const around =
    <A extends unknown[], R>(name: string, run: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      const result = await before(name, run)(...args);
      return step === `after ${name}` ? await die() : result;
    };
  const wrapBlobs = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    delete: around("delete", blobs.delete),
    create: around("create", async (key) => {
      const writer = await blobs.create(key);
      return { ...writer, write: around("write", writer.write), commit: around("commit", writer.commit) };
    }),
  });
  const wrapIndex = (index: FileIndex): FileIndex => ({
    ...index,
    finish: around("finish", index.finish),
    remove: around("remove", index.remove),
    markDeleting: around("markDeleting", index.markDeleting),
  });
  return { options: { wrapBlobs, wrapIndex }, dead: dead.promise };
}

async function afterDeath(step: string, act: (desk: TestDesk) => Promise<unknown>): Promise<TestDesk> {
  const { options, dead } = deathAt(step);
  const desk = await openTestDesk(options);
  await Promise.race([act(desk).then(() => Promise.reject(new Error("it lived"))), dead]);
  return await desk.crash();
}

test.each(["after create", "before write", "after write", "before commit", "after commit", "before finish"])(
  "an upload that died %s is undone at the next start, and its link works again",
  async (step) => {
    let ticket = "";
    await using desk = await afterDeath(step, async (first) => {
      ticket = ticketIn(await first.files.issue({ ownerId: owner }));
      await first.files.upload(ticket, incoming());
    });
    expect(await desk.repair()).toMatchObject({ uploads: 1, failed: 0 });
    expect(await desk.verify()).toEqual(sound);
    expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
    expect(await desk.blobs.sweep(() => false)).toBe(0);
    expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 0 });
    expect((await desk.files.upload(ticket, incoming())).size).toBe(5);
    expect(await desk.repair()).toEqual(nothing);
  },
);

test("an upload that was acknowledged is there after the crash, with what is owed for it", async () => {
  let id = "";
  await using desk = await afterDeath("after finish", async (first) => {
    const link = await first.files.issue({ ownerId: owner });
    id = link.fileId;
    await first.files.upload(ticketIn(link), incoming());
  });
  expect(await desk.repair()).toEqual(nothing);
  expect(await (await desk.files.open(await desk.files.get(id))).text()).toBe("hello");
  expect(await desk.store.announcements.due(desk.clock.now, 10)).toHaveLength(1);
});

test.each(["after markDeleting", "before delete", "after delete", "before remove"])(
  "a deletion that died %s is finished at the next start",
  async (step) => {
    await using desk = await afterDeath(step, async (first) => {
      const file = await first.files.add({ ownerId: owner }, incoming());
      await first.files.remove(file.id, "admin");
    });
    expect(await desk.repair()).toEqual({ ...nothing, deletions: 1 });
    expect(await desk.verify()).toEqual(sound);
    expect(await Array.fromAsync(desk.files.list({}))).toEqual([]);
    expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  },
);

test("what it repaired stands in one line of the log, and nothing when all was well", async () => {
  await using desk = await afterDeath("after write", (first) =>
    first.files.add({ ownerId: owner }, incoming()),
  );
  desk.clock.now += DEAD_AFTER + 1;
  await desk.repair();
  await desk.repair();
  const said = desk.lines().filter(({ msg }) => String(msg).startsWith("repaired"));
  expect(said).toHaveLength(1);
  expect(said[0]?.msg).toContain("1 cut upload,");
});

test("a `files add` that goes on beside the starting process is left alone, bytes included", async () => {
  await using desk = await openTestDesk();
  const sender = slowBody();
  const upload = desk.files.add({ ownerId: owner }, incoming({ body: sender.body, length: 5 }));
  await sender.wanted();
  expect(await desk.repair()).toEqual(nothing);
  sender.send("hello");
  sender.end();
  expect((await upload).size).toBe(5);
  expect(await desk.verify()).toEqual(sound);
});

test("a `files add` that begins while the repair is at work loses nothing", async () => {
  await using desk = await openTestDesk();
  const sender = slowBody();
  let upload: ReturnType<typeof desk.files.add> | undefined;
  const wrapBlobs = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    async sweep(inUse) {
      upload = desk.files.add({ ownerId: owner }, incoming({ body: sender.body, length: 5 }));
      await sender.wanted();
      return await blobs.sweep(inUse);
    },
  });
  await using starting = await openTestDesk({ dataDir: desk.dataDir, clock: desk.clock, wrapBlobs });
  expect(await starting.repair()).toEqual(nothing);
  sender.send("hello");
  sender.end();
  expect((await upload)?.size).toBe(5);
  expect(await desk.verify()).toEqual(sound);
});

test("an unfinished write that belongs to nothing is swept away", async () => {
  await using desk = await openTestDesk();
  await (await desk.blobs.create("s".repeat(22))).write(new Uint8Array(10));
  expect(await desk.repair()).toEqual({ ...nothing, fragments: 1 });
});
