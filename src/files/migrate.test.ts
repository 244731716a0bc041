import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WisError } from "../errors.ts";
import { openDiskBlobs } from "../store/blobs/disk.ts";
import { codeOf, incoming, openTestDesk, type TestDesk } from "../testing/file-desk.ts";
import { owner } from "../testing/resumable.ts";
import type { BlobPlace, BlobStore, BlobStores, BlobWriter } from "./blob-ports.ts";
import { openStored, zipOf } from "./download.ts";
import { type MigrateInput, migrateBlobs } from "./migrate.ts";
import type { StoredFile } from "./ports.ts";
import { verifyFiles } from "./verify.ts";

const { signal } = new AbortController();
const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };

/** A desk on its disk, and another disk that stands for the place to move to. */
async function openTwoPlaces(wrap: (place: BlobPlace, blobs: BlobStore) => BlobStore = (_, blobs) => blobs) {
  const desk = await openTestDesk();
  const s3 = await openDiskBlobs({ dir: join(desk.dataDir, "elsewhere") });
  const places = { disk: wrap("disk", desk.blobs), s3: wrap("s3", s3) };
  const stores: BlobStores = {
    place: "disk",
    places: ["disk", "s3"],
    presigns: false,
    at: (place) => places[place],
  };
  const { store, telemetry } = desk;
  const deps = { index: store.files, contents: store.blobs, stores, telemetry, minFreeDisk: 0 };
  const keysIn = async (blobs: BlobStore) => (await Array.fromAsync(blobs.keys())).toSorted();
  return {
    desk,
    deps,
    disk: () => keysIn(desk.blobs),
    s3: () => keysIn(s3),
    migrate: (input: Partial<MigrateInput> = {}) => migrateBlobs(deps, { to: "s3", signal, ...input }),
    textOf: async ({ blobKey: key, size }: StoredFile) =>
      await (await openStored(deps)({ key: key ?? "", size }))?.text(),
    verify: () => verifyFiles(deps, { signal }),
    async [Symbol.asyncDispose]() {
      await desk[Symbol.asyncDispose]();
    },
  };
}

const add = (desk: TestDesk, text: string) => desk.files.add({ ownerId: owner }, incoming({ text }));
const keysOf = (files: StoredFile[]) => files.map(({ blobKey }) => blobKey ?? "").toSorted();

const addMany = (desk: TestDesk, count: number) =>
  Promise.all(Array.from({ length: count }, (_, at) => add(desk, `file ${at}`)));

test("everything moves, says how far it is, and moves back", async () => {
  await using two = await openTwoPlaces();
  const files = await addMany(two.desk, 3);
  const steps: [number, number][] = [];
  const onProgress = (bytes: number, total: number) => void steps.push([bytes, total]);
  expect(await two.migrate({ onProgress })).toEqual({ blobs: 3, bytes: 18, failed: [] });
  expect(steps).toEqual([
    [6, 18],
    [12, 18],
    [18, 18],
  ]);
  expect([await two.disk(), await two.s3()]).toEqual([[], keysOf(files)]);
  for (const [at, file] of files.entries()) expect(await two.textOf(file)).toBe(`file ${at}`);
  expect(await two.verify()).toEqual(sound);
  expect(await two.migrate({ to: "disk" })).toEqual({ blobs: 3, bytes: 18, failed: [] });
  expect([await two.disk(), await two.s3()]).toEqual([keysOf(files), []]);
});

test("more than a batch moves, and nothing moves twice", async () => {
  await using two = await openTwoPlaces();
  const files = await addMany(two.desk, 103);
  expect(await two.migrate()).toMatchObject({ blobs: 103, failed: [] });
  expect(await two.migrate()).toEqual({ blobs: 0, bytes: 0, failed: [] });
  expect(await two.s3()).toEqual(keysOf(files));
});

test("cut in the middle of a file it leaves nothing half there, and goes on the next time", async () => {
  await using two = await openTwoPlaces();
  const files = await addMany(two.desk, 5);
  const stop = new AbortController();
  const cut = two.migrate({
    signal: stop.signal,
    onProgress: (bytes) => {
      if (bytes > 12) stop.abort();
    },
  });
  await expect(cut).rejects.toThrow();
  for (const [at, file] of files.entries()) expect(await two.textOf(file)).toBe(`file ${at}`);
  const [disk, s3] = [await two.disk(), await two.s3()];
  expect(s3.length).toBeGreaterThan(1);
  expect([...disk, ...s3].toSorted()).toEqual(keysOf(files));
  expect(await two.deps.stores.at("s3").sweep(() => false)).toBe(0);
  expect(await two.migrate()).toMatchObject({ blobs: 5 - s3.length, failed: [] });
  expect([await two.disk(), await two.s3()]).toEqual([[], keysOf(files)]);
});

// Its file handles go with a process; here the garbage collector would find them, and Bun makes that an error.
const leftOpen: BlobWriter[] = [];

/** A process that dies when it gets to a step of the first file: nothing after it happens. */
function dyingAt(step: string) {
  const dead = Promise.withResolvers<void>();
  const die = () => {
    dead.resolve();
    return new Promise<never>(() => undefined);
  };
  const wrap = (place: BlobPlace, blobs: BlobStore): BlobStore => ({
    ...blobs,
    async create(key) {
      const writer = await blobs.create(key);
      leftOpen.push(writer);
      return {
        ...writer,
        write: (chunk) => (step === "copied" ? die() : writer.write(chunk)),
        async commit() {
          await writer.commit();
          if (step === "committed") await die();
        },
      };
    },
    delete: (key) => (step === "moved" && place === "disk" ? die() : blobs.delete(key)),
  });
  return { wrap, dead: dead.promise };
}

test.each(["copied", "committed", "moved"])(
  "killed when a file is %s, it is run again and all is well",
  async (step) => {
    const { wrap, dead } = dyingAt(step);
    let isDead = false;
    await using two = await openTwoPlaces((place, blobs) => {
      const dying = wrap(place, blobs);
      const now = () => (isDead ? blobs : dying);
      return { ...blobs, create: (key) => now().create(key), delete: (key) => now().delete(key) };
    });
    const files = await addMany(two.desk, 3);
    void two.migrate();
    await dead;
    isDead = true;
    for (const [at, file] of files.entries()) expect(await two.textOf(file)).toBe(`file ${at}`);
    expect(await two.migrate()).toMatchObject({ failed: [] });
    expect([await two.disk(), await two.s3()]).toEqual([[], keysOf(files)]);
    expect(await two.verify()).toEqual(sound);
  },
);

test("damaged and missing bytes stay where they are, are named, and keep nothing else from moving", async () => {
  await using two = await openTwoPlaces();
  const { desk } = two;
  const [damaged, missing, fine] = [
    await add(desk, "damaged"),
    await add(desk, "missing"),
    await add(desk, "fine"),
  ];
  const key = damaged.blobKey ?? "";
  await writeFile(join(desk.dataDir, "files", key.slice(0, 1), key), "DAMAGED");
  await desk.blobs.delete(missing.blobKey ?? "");
  const { failed, ...moved } = await two.migrate();
  expect(moved).toEqual({ blobs: 1, bytes: 4 });
  expect(failed.toSorted()).toEqual(keysOf([damaged, missing]));
  expect([await two.disk(), await two.s3()]).toEqual([[key], keysOf([fine])]);
  expect(desk.lines().filter(({ level }) => level === "error")).toHaveLength(2);
});

test("a place that refuses a file keeps nothing else from moving, and takes it the next time", async () => {
  let refused = "";
  await using two = await openTwoPlaces((place, blobs) => ({
    ...blobs,
    create: (key) =>
      place === "s3" && key === refused ? Promise.reject(new Error("503")) : blobs.create(key),
  }));
  const files = await addMany(two.desk, 3);
  refused = files[1]?.blobKey ?? "";
  expect(await two.migrate()).toMatchObject({ blobs: 2, failed: [refused] });
  refused = "";
  expect(await two.migrate()).toMatchObject({ blobs: 1, failed: [] });
  expect([await two.disk(), await two.s3()]).toEqual([[], keysOf(files)]);
});

test("a target without room ends the move before anything is copied there, and says so", async () => {
  let free = Number.POSITIVE_INFINITY;
  let copied = 0;
  await using two = await openTwoPlaces((place, blobs) => ({
    ...blobs,
    free: async () => (place === "s3" ? free : 0),
    create(key) {
      if (place === "s3") copied += 1;
      return blobs.create(key);
    },
  }));
  const { deps, desk } = two;
  const files = await addMany(desk, 3);
  free = 105;
  const moving = migrateBlobs({ ...deps, minFreeDisk: 100 }, { to: "s3", signal });
  expect(await codeOf(moving)).toBe("disk.full");
  expect([copied, await two.s3()]).toEqual([0, []]);
  expect(desk.lines().filter(({ level }) => level === "error")).toEqual([]);
  free = 106;
  expect(await migrateBlobs({ ...deps, minFreeDisk: 100 }, { to: "s3", signal })).toMatchObject({ blobs: 3 });
  expect(await two.s3()).toEqual(keysOf(files));
});

test.each(["before it is half copied", "when it is written"])(
  "a target that fills up %s ends the move, says what has moved, and keeps no half of a file",
  async (when) => {
    let writes = 0;
    await using two = await openTwoPlaces((place, blobs) => ({
      ...blobs,
      // As if each file were of gigabytes, and somebody else wrote there too.
      free: async () => (place === "s3" && when === "before it is half copied" && writes > 1 ? 0 : 1e12),
      async create(key) {
        const writer = await blobs.create(key);
        if (place !== "s3") return writer;
        return {
          ...writer,
          async write(chunk) {
            writes += 1;
            if (writes > 1 && when === "when it is written")
              throw new WisError("disk.full", { say: "Full." });
            await writer.write(chunk);
          },
        };
      },
    }));
    const [one, other] = ["a", "b"].map((letter) => letter.repeat(20_000_000));
    const files = [await add(two.desk, one ?? ""), await add(two.desk, other ?? "")];
    const moving = two.migrate();
    const code = await codeOf(moving);
    expect(code).toBe("disk.full");
    expect(await moving.catch((error) => error.message)).toContain("stayed where");
    expect(await two.deps.stores.at("s3").sweep(() => false)).toBe(0);
    expect([...(await two.disk()), ...(await two.s3())].toSorted()).toEqual(keysOf(files));
    expect(await two.verify()).toEqual(sound);
  },
);

test("a copy that reads differently in its new place is taken away again", async () => {
  await using two = await openTwoPlaces((place, blobs) => ({
    ...blobs,
    open: async (key, range) => (place === "s3" ? new Blob(["HELLO"]) : await blobs.open(key, range)),
  }));
  const file = await add(two.desk, "hello");
  expect(await two.migrate()).toMatchObject({ blobs: 0, failed: [file.blobKey] });
  expect([await two.disk(), await two.s3()]).toEqual([keysOf([file]), []]);
});

test("a file that is removed just before it moves fails nothing", async () => {
  let before: (() => Promise<unknown>) | undefined;
  await using two = await openTwoPlaces((place, blobs) => ({
    ...blobs,
    async open(key, range) {
      if (place === "disk") await before?.();
      return await blobs.open(key, range);
    },
  }));
  const file = await add(two.desk, "hello");
  before = () => {
    before = undefined;
    return two.desk.files.remove(file.id, "admin");
  };
  expect(await two.migrate()).toEqual({ blobs: 0, bytes: 0, failed: [] });
});

test("a download that began before its file moved goes on to its end", async () => {
  await using two = await openTwoPlaces();
  const text = "0123456789".repeat(300_000);
  const file = await add(two.desk, text);
  const blob = await openStored(two.deps)({ key: file.blobKey ?? "", size: file.size });
  const reader = blob?.stream().getReader();
  const chunks = [(await reader?.read())?.value ?? new Uint8Array()];
  await two.migrate();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
    chunks.push(next.value);
  expect(Buffer.concat(chunks).toString()).toBe(text);
  expect(await two.textOf(file)).toBe(text);
});

test("a ZIP that began before its files moved goes on to its end", async () => {
  await using two = await openTwoPlaces();
  const { desk } = two;
  const link = await desk.files.issue({ ownerId: owner });
  const ticket = link.url.split("/u/")[1] ?? "";
  await desk.files.prepare(ticket, { files: 2 });
  for (const name of ["a.txt", "b.txt"])
    await desk.files.upload(ticket, incoming({ name, text: name.repeat(400_000) }));
  const bundle = await desk.files.get(link.fileId);
  const whole = await zipOf(two.deps, bundle);
  const range = { start: 0, end: whole.size - 1 };
  const before = await new Response(whole.read(range, signal)).bytes();
  const reader = whole.read(range, signal).getReader();
  const chunks = [(await reader.read()).value ?? new Uint8Array()];
  await two.migrate();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  expect(Buffer.concat(chunks).equals(before)).toBe(true);
});

test("a file that is removed while it moves is gone from both places", async () => {
  let during: (() => Promise<unknown>) | undefined;
  await using two = await openTwoPlaces((place, blobs) => ({
    ...blobs,
    async create(key) {
      const writer = await blobs.create(key);
      if (place === "s3") await during?.();
      return writer;
    },
  }));
  const file = await add(two.desk, "hello");
  during = () => two.desk.files.remove(file.id, "admin");
  await two.migrate();
  expect([await two.disk(), await two.s3()]).toEqual([[], []]);
});

test("bytes that are sent again while they move are one blob, in its new place", async () => {
  let during: (() => Promise<unknown>) | undefined;
  await using two = await openTwoPlaces((place, blobs) => ({
    ...blobs,
    async create(key) {
      const writer = await blobs.create(key);
      if (place === "s3") await during?.();
      return writer;
    },
  }));
  const file = await add(two.desk, "hello");
  let again: StoredFile | undefined;
  during = async () => {
    again = await add(two.desk, "hello");
  };
  await two.migrate();
  expect(again?.blobKey).toBe(file.blobKey);
  expect([await two.disk(), await two.s3()]).toEqual([[], keysOf([file])]);
  expect(await two.textOf(file)).toBe("hello");
});
