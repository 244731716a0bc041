import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, incoming, onlyDisk, openTestDesk, slowBody, type TestDesk } from "../testing/file-desk.ts";
import { append, appendBody, begin, newTicket, owner } from "../testing/resumable.ts";
import { reconcile, type ScrubDeps, scrub, scrubJob } from "./scrub.ts";

const DAY = 86_400_000;
const ORPHAN = "o".repeat(22);
const { signal } = new AbortController();

/** The scrub of a desk, which notes how long it was to wait instead of waiting. */
function scrubOf({ store, blobs, telemetry, clock }: TestDesk) {
  const waits: number[] = [];
  const deps: ScrubDeps = {
    index: store.files,
    contents: store.blobs,
    stores: onlyDisk(blobs),
    telemetry,
    now: () => clock.now,
    wait: async (ms, { aborted }) => {
      waits.push(ms);
      return !aborted;
    },
  };
  return { deps, waits };
}

const add = (desk: TestDesk, text: string) =>
  desk.files.add({ ownerId: owner, expireAfter: 30 * DAY }, incoming({ text }));

/** Other bytes where those of a file were, of the same length. */
async function damage(desk: TestDesk, key: string | null) {
  await writeFile(join(desk.dataDir, "files", (key ?? "").slice(0, 1), key ?? ""), "HELLO");
}

const errors = (desk: TestDesk) => desk.lines().filter(({ level }) => level === "error");
const warnings = (desk: TestDesk) => desk.lines().filter(({ level }) => level === "warn");

test("everything is read again once in thirty days, what was read longest ago first", async () => {
  await using desk = await openTestDesk({ limits: { maxExpireAfter: 100 * DAY, expireAfter: 100 * DAY } });
  const { deps } = scrubOf(desk);
  await add(desk, "one");
  desk.clock.now += 20 * DAY;
  await add(desk, "other");
  expect(await scrub(deps, signal)).toEqual({ checked: 0, damaged: 0 });
  desk.clock.now += 10 * DAY + 1;
  expect(await scrub(deps, signal)).toEqual({ checked: 1, damaged: 0 });
  expect(await scrub(deps, signal)).toEqual({ checked: 0, damaged: 0 });
  desk.clock.now += 20 * DAY;
  expect(await scrub(deps, signal)).toEqual({ checked: 1, damaged: 0 });
});

test("damage is found, said once with whose it is, and costs nobody a row", async () => {
  await using desk = await openTestDesk();
  const job = scrubJob(scrubOf(desk).deps);
  const broken = await add(desk, "hello");
  const gone = await add(desk, "gone");
  await add(desk, "sound");
  await damage(desk, broken.blobKey);
  await desk.blobs.delete(gone.blobKey ?? "");
  desk.clock.now += 30 * DAY - 1;
  await job.run(signal);
  expect(errors(desk)).toEqual([]);

  desk.clock.now += 2;
  await job.run(signal);
  await job.run(signal);
  const said = errors(desk).map((line) => JSON.stringify(line));
  expect(said).toHaveLength(2);
  expect(said.some((line) => line.includes(`${broken.id.slice(0, 4)}… are corrupt`))).toBe(true);
  expect(said.some((line) => line.includes(`${gone.id.slice(0, 4)}… are missing`))).toBe(true);
  expect(said.join("")).not.toContain(broken.id);
  const warned = warnings(desk).filter(({ msg }) => String(msg).startsWith("scrub"));
  expect(warned).toMatchObject([{ checked: 3, damaged: 2, orphans: 0 }]);
  expect(await Array.fromAsync(desk.files.list({}))).toHaveLength(3);
});

test("bytes that were found damaged are healed by whoever sends the same ones again", async () => {
  await using desk = await openTestDesk({ limits: { maxExpireAfter: 100 * DAY, expireAfter: 100 * DAY } });
  const send = () => desk.files.add({ ownerId: owner }, incoming({ text: "hello" }));
  const broken = await send();
  await damage(desk, broken.blobKey);
  desk.clock.now += 30 * DAY + 1;
  await scrub(scrubOf(desk).deps, signal);
  const again = await send();
  const healed = await desk.files.get(broken.id);
  expect(healed.blobKey).toBe(again.blobKey);
  expect(await (await desk.files.open(healed)).text()).toBe("hello");
});

test("a store that is away is no damage, and nothing counts as checked until it is back", async () => {
  await using desk = await openTestDesk();
  const { deps } = scrubOf(desk);
  for (const text of ["one", "two"]) await add(desk, text);
  desk.clock.now += 31 * DAY;
  let asked = 0;
  const away = onlyDisk({
    ...desk.blobs,
    open() {
      asked += 1;
      return Promise.reject(new Error("ECONNREFUSED"));
    },
  });
  expect(await codeOf(scrubJob({ ...deps, stores: away }).run(signal))).toBe("disk.failed");
  expect(asked).toBe(1);
  expect(errors(desk)).toEqual([]);
  expect(await scrub(deps, signal)).toEqual({ checked: 2, damaged: 0 });
});

test("bytes that were removed while they were read are no damage", async () => {
  await using desk = await openTestDesk();
  const { deps } = scrubOf(desk);
  const file = await add(desk, "hello");
  desk.clock.now += 30 * DAY - 1;
  const at = onlyDisk({
    ...desk.blobs,
    async open(key) {
      await desk.files.remove(file.id, "admin");
      return await desk.blobs.open(key);
    },
  });
  desk.clock.now += 2;
  expect(await scrub({ ...deps, stores: at }, signal)).toMatchObject({ damaged: 0 });
  expect(errors(desk)).toEqual([]);
});

test("it never reads faster than 20 MB a second, and stops at 20 GB a run", async () => {
  await using desk = await openTestDesk();
  const { deps, waits } = scrubOf(desk);
  const size = 300_000;
  for (let count = 0; count < 3; count += 1) await add(desk, String(count).repeat(size));
  desk.clock.now += 31 * DAY;
  expect(await scrub(deps, signal)).toMatchObject({ checked: 3 });
  expect(waits).toEqual([15, 15, 15]);

  const large = await desk.files.add({ ownerId: owner }, incoming({ text: "x".repeat(10_000_000) }));
  desk.clock.now += 6 * DAY;
  await desk.files.extend(large.id, "admin", 30 * DAY);
  desk.clock.now += 25 * DAY;
  await scrub(deps, signal);
  const owed = waits.splice(3);
  expect(owed.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...owed)).toBeLessThan(250);

  // As if they were of 9 GB each; more of them is due all the time.
  let asked = 0;
  const contents: ScrubDeps["contents"] = {
    ...deps.contents,
    async unchecked() {
      asked += 1;
      return [{ key: ORPHAN, sha256: "", size: 9e9, crc32: null, place: "disk" }];
    },
  };
  expect(await scrub({ ...deps, contents }, signal)).toMatchObject({ checked: 3 });
  expect(asked).toBe(3);
  expect(waits.slice(3)).toEqual([450_000, 450_000, 450_000]);
});

test("it stops where it is when it is told to, and goes on there the next time", async () => {
  await using desk = await openTestDesk();
  const { deps } = scrubOf(desk);
  for (const text of ["one", "two", "three"]) await add(desk, text);
  desk.clock.now += 31 * DAY;
  const stopping = new AbortController();
  const wait: ScrubDeps["wait"] = async () => {
    stopping.abort();
    return false;
  };
  expect(await scrub({ ...deps, wait }, stopping.signal)).toEqual({ checked: 1, damaged: 0 });
  expect(await scrub(deps, signal)).toEqual({ checked: 2, damaged: 0 });
});

/** Bytes that belong to nothing. */
async function leaveOrphan(desk: TestDesk) {
  const writer = await desk.blobs.create(ORPHAN);
  await writer.write(Buffer.from("whose?"));
  await writer.commit();
}

test("bytes that belong to nothing go when two runs have seen them, and it says so", async () => {
  await using desk = await openTestDesk();
  const job = scrubJob(scrubOf(desk).deps);
  const file = await add(desk, "hello");
  await leaveOrphan(desk);
  await job.run(signal);
  expect(await desk.blobs.open(ORPHAN)).toBeDefined();
  expect(warnings(desk)).toEqual([]);
  await job.run(signal);
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([file.blobKey ?? ""]);
  expect(warnings(desk)).toMatchObject([{ orphans: 1 }]);
});

test("bytes that were seen alone once, and had a file by the next run, stay", async () => {
  await using desk = await openTestDesk();
  const { deps } = scrubOf(desk);
  await leaveOrphan(desk);
  const { suspects, orphans } = await reconcile(deps, { place: "disk", suspects: new Set(), signal });
  expect([orphans, [...suspects]]).toEqual([0, [ORPHAN]]);
  await desk.blobs.delete(ORPHAN);
  const again = await reconcile(deps, { place: "disk", suspects, signal });
  expect([again.orphans, again.suspects.size]).toEqual([0, 0]);
});

test("what is on its way is no orphan, however often it is seen", async () => {
  await using desk = await openTestDesk({
    // The bytes are in place, their row is not told: a process that died just then.
    wrapIndex: (index) => ({ ...index, finish: () => Promise.reject(new Error("the database is gone")) }),
  });
  const { deps } = scrubOf(desk);
  const { key } = await begin(desk, await newTicket(desk), 5);
  await append(desk, key, 0, "hello").catch((error) => expect(error.message).toBe("the database is gone"));
  const other = await begin(desk, await newTicket(desk), 5);
  const sender = slowBody();
  const going = appendBody(desk, other.key, sender.body).catch((error) => error);
  await sender.wanted();
  for (let times = 0; times < 3; times += 1) {
    const { suspects, orphans } = await reconcile(deps, {
      place: "disk",
      suspects: new Set([key, other.key]),
      signal,
    });
    expect([orphans, suspects.size]).toEqual([0, 0]);
  }
  expect(await desk.blobs.open(key)).toBeDefined();
  sender.end();
  await going;
});

test("a disk that is not mounted costs nobody a row", async () => {
  await using desk = await openTestDesk();
  const { deps } = scrubOf(desk);
  const file = await add(desk, "hello");
  const empty = onlyDisk({ ...desk.blobs, open: async () => undefined, async *keys() {} });
  desk.clock.now += 30 * DAY - 1;
  await scrubJob({ ...deps, stores: empty }).run(signal);
  await scrubJob({ ...deps, stores: empty }).run(signal);
  expect((await desk.files.get(file.id)).size).toBe(5);
});
