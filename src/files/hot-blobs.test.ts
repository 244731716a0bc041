import { beforeEach, expect, test } from "bun:test";
import { keepHot, type OpenBlob } from "./hot-blobs.ts";

const KiB = 1_024;
const blob = (key: string, size = 64 * KiB) => ({ key, size });

let stored: Map<string, Blob>;
let opened: string[];
let clock: { now: number };
let open: OpenBlob;
beforeEach(() => {
  stored = new Map();
  opened = [];
  clock = { now: 0 };
  open = keepHot({
    async open({ key }, range) {
      opened.push(key);
      const bytes = stored.get(key);
      return range ? bytes?.slice(range.start, range.end + 1) : bytes;
    },
    now: () => clock.now,
  });
});

function store(key: string, size = 64 * KiB): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.min(size, 64 * KiB)));
  const whole = new Uint8Array(size);
  for (let at = 0; at < size; at += bytes.length) whole.set(bytes.subarray(0, size - at), at);
  stored.set(key, new Blob([whole]));
  return whole;
}

async function openTimes(times: number, ...blobs: { key: string; size: number }[]): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    for (const one of blobs) await open(one);
  }
}

async function bytesOf(...asked: Parameters<OpenBlob>): Promise<Uint8Array> {
  return (await (await open(...asked))?.bytes()) ?? new Uint8Array();
}

test("what is asked for again comes from memory, whole and in ranges, byte for byte", async () => {
  const bytes = store("a");
  await openTimes(2, blob("a"));
  expect(await bytesOf(blob("a"))).toEqual(bytes);
  expect(await bytesOf(blob("a"), { start: 10, end: 19 })).toEqual(bytes.subarray(10, 20));
  expect(opened).toEqual(["a", "a"]);
});

test("what is asked for once, or is large, takes no memory", async () => {
  store("once");
  store("large", 257 * KiB);
  await openTimes(1, blob("once"));
  await openTimes(5, blob("large", 257 * KiB));
  expect(opened).toEqual(["once", ...Array(5).fill("large")]);
});

test("the store is asked every second whether it is still there", async () => {
  store("a");
  await openTimes(3, blob("a"));
  expect(opened.length).toBe(2);
  clock.now += 1_000;
  await openTimes(3, blob("a"));
  expect(opened.length).toBe(3);
  clock.now += 1_000;
  stored.delete("a");
  expect(await open(blob("a"))).toBeUndefined();
  expect(await open(blob("a"))).toBeUndefined();
});

test("a blob of another size than it should have is given as it is and never held", async () => {
  stored.set("short", new Blob(["short"]));
  await openTimes(2, blob("short"));
  expect((await open(blob("short")))?.size).toBe(5);
  clock.now += 1_000;
  store("short");
  await openTimes(2, blob("short"));
  stored.set("short", new Blob(["short"]));
  clock.now += 1_000;
  expect((await open(blob("short")))?.size).toBe(5);
});

test("memory stays within 16 MiB: what is asked for least goes first", async () => {
  const many = Array.from({ length: 80 }, (_, index) => blob(String(index), 256 * KiB));
  for (const { key, size } of many) store(key, size);
  await openTimes(2, ...many);
  opened = [];
  await openTimes(1, ...many.slice(-64));
  expect(opened).toEqual([]);
  await openTimes(1, ...many.slice(0, 16));
  expect(opened.length).toBe(16);
});

test("what nobody has asked for in a minute goes with the next that comes", async () => {
  store("a");
  await openTimes(2, blob("a"));
  clock.now += 60_000;
  store("b");
  await openTimes(2, blob("b"));
  clock.now -= 60_000;
  opened = [];
  await openTimes(1, blob("a"));
  expect(opened).toEqual(["a"]);
});

test("a store that fails is heard, and asked again", async () => {
  const failing = keepHot({
    open: async () => {
      opened.push("failed");
      throw new Error("the disk failed");
    },
    now: () => clock.now,
  });
  for (let time = 0; time < 3; time += 1) expect(failing(blob("a"))).rejects.toThrow("the disk failed");
  expect(opened.length).toBe(3);
});
