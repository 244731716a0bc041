import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { layoutZip, readZip, type ZipEntry, type ZipLayout } from "./zip.ts";

const folder = mkdtempSync(join(tmpdir(), "wisbot-zip-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NOON = Date.UTC(2026, 6, 1, 12);
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const never = new AbortController().signal;

interface File {
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  modifiedAt?: number;
}

function bundle(files: File[]) {
  const blobs = new Map(files.map(({ bytes }, index) => [`blob-${index}`, new Blob([bytes])]));
  const entries = files.map(
    ({ path, bytes, modifiedAt = NOON }, index): ZipEntry => ({
      path,
      size: bytes.length,
      crc32: Bun.hash.crc32(bytes),
      modifiedAt,
      key: `blob-${index}`,
    }),
  );
  const layout = layoutZip(entries);
  const open = async (key: string, range?: { start: number; end: number }) => {
    const blob = blobs.get(key);
    return range ? blob?.slice(range.start, range.end + 1) : blob;
  };
  const read = (start = 0, end = layout.size - 1) =>
    new Response(readZip(layout, { start, end }, open, never)).bytes();
  return { layout, blobs, open, read };
}

const text = (words: string) => new TextEncoder().encode(words);

/** What Python's zipfile finds: it checks every CRC-32 and every local header against the central directory. */
async function asPythonReads(path: string) {
  const script = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
  bad = z.testzip()
  print(json.dumps([bad, [[i.filename, i.file_size, hashlib.sha256(z.read(i)).hexdigest(), list(i.date_time), i.external_attr >> 16] for i in z.infolist()]]))`;
  const [bad, entries] = await $`python3 -c ${script} ${path}`.json();
  return { bad, entries };
}

/** Name, size, place and "version needed" of each; opening some compares their local headers. */
async function asPythonLists(path: string): Promise<[string, number, number, number][]> {
  const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
  for i in z.infolist()[:9]: z.open(i).close()
  print(json.dumps([[i.filename, i.file_size, i.header_offset, i.extract_version] for i in z.infolist()]))`;
  return await $`python3 -c ${script} ${path}`.json();
}

const withPython = test.skipIf(Bun.which("python3") === null);
const withUnzip = test.skipIf(Bun.which("unzip") === null);

const anyFile = fc.record({
  path: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
  modifiedAt: fc.integer({ min: -1, max: Date.UTC(2120, 0) }),
});

describe("ranges", () => {
  test("any range of any files' ZIP has the bytes of that stretch of the whole", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFile, { maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 8 }),
        async (files, ranges) => {
          const { layout, read } = bundle(files);
          const whole = await read();
          expect(whole).toHaveLength(layout.size);
          for (const [a, b] of ranges) {
            const start = a % layout.size;
            const end = start + (b % (layout.size - start));
            expect(await read(start, end)).toEqual(whole.slice(start, end + 1));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a range over files of several chunks is as exact", async () => {
    const bytes = new Uint8Array(3 * MIB + 17).map((_, index) => (index * 31) >> 3);
    const { layout, read } = bundle([
      { path: "a", bytes },
      { path: "b", bytes: bytes.slice(5) },
    ]);
    const whole = await read();
    for (const [start, end] of [
      [MIB - 1, MIB],
      [100, 2 * MIB + 99],
      [3 * MIB, 4 * MIB + 1],
      [layout.size - 1, layout.size - 1],
    ] as const) {
      expect(Buffer.compare(await read(start, end), whole.subarray(start, end + 1))).toBe(0);
    }
  });

  test("a reader with buffers of its own gets the same, and is told the end", async () => {
    const { layout, open, read } = bundle([{ path: "a.txt", bytes: text("hello") }]);
    const stream = readZip(layout, { start: 0, end: layout.size - 1 }, open, never);
    const reader = stream.getReader({ mode: "byob" });
    const parts: Uint8Array[] = [];
    for (let done = false; !done; ) {
      const next = await reader.read(new Uint8Array(7));
      if (next.value) parts.push(next.value);
      done = next.done;
    }
    expect(new Uint8Array(Buffer.concat(parts))).toEqual(await read());
  });
});

describe("what others read", () => {
  const files: File[] = [
    { path: "readme.txt", bytes: text("hello"), modifiedAt: Date.UTC(2026, 10, 21, 8, 4, 22) },
    { path: "empty", bytes: new Uint8Array(0) },
    { path: "family 👨‍👩‍👧‍👦/été.txt", bytes: text("emoji and accents") },
    { path: "تقرير/שלום.docx", bytes: text("right to left") },
    { path: "deep/er/and/deeper/large.bin", bytes: new Uint8Array(2 * MIB + 3).fill(7) },
    { path: "before 1980.txt", bytes: text("old"), modifiedAt: 0 },
    { path: "after 2038.txt", bytes: text("new"), modifiedAt: Date.UTC(2050, 0, 1) },
  ];

  async function written(name: string, of: File[]): Promise<string> {
    const path = join(folder, name);
    await Bun.write(path, await bundle(of).read());
    return path;
  }

  withPython("Python gets back every name, byte, time and mode", async () => {
    const { bad, entries } = await asPythonReads(await written("python.zip", files));
    expect(bad).toBeNull();
    expect(entries).toEqual(
      files.map(({ path, bytes, modifiedAt = NOON }) => {
        const at = new Date(Math.max(modifiedAt, Date.UTC(1980, 0, 1)));
        const date = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
        const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
        const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
        return [path, bytes.length, sha256, [...date, ...time], 0o100644];
      }),
    );
  });

  withUnzip("unzip finds no fault and unpacks it to the same files, of their time and mode", async () => {
    const path = await written("unzip.zip", files);
    const env = { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8", TZ: "Asia/Tokyo" };
    expect(await $`unzip -tqq ${path}`.env(env).text()).toBe("");
    const into = join(folder, "unpacked");
    await $`unzip -qq ${path} -d ${into}`.env(env);
    for (const file of files) expect(await Bun.file(join(into, file.path)).bytes()).toEqual(file.bytes);
    const { mtimeMs, mode } = await Bun.file(join(into, "readme.txt")).stat();
    // The exact second in any time zone: the extended timestamp is read.
    expect(mtimeMs).toBe(Date.UTC(2026, 10, 21, 8, 4, 22));
    expect(mode & 0o777).toBe(0o644);
  });

  withPython("a ZIP of nothing is a ZIP", async () => {
    const path = await written("nothing.zip", []);
    expect(Bun.file(path).size).toBe(22);
    expect(await asPythonReads(path)).toEqual({ bad: null, entries: [] });
  });

  withPython("65,534 files need no ZIP64, one more does, and all are found", async () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ path: `${index}`, bytes: new Uint8Array(0) }));
    const signature = Buffer.from([0x50, 0x4b, 6, 6]);
    const plain = await bundle(many(65_534)).read();
    expect(Buffer.from(plain).includes(signature)).toBe(false);
    const larger = await bundle(many(65_535)).read();
    expect(Buffer.from(larger).includes(signature)).toBe(true);
    await Bun.write(join(folder, "many.zip"), larger);
    expect(await asPythonLists(join(folder, "many.zip"))).toHaveLength(65_535);
  });
});

describe("ZIP64", () => {
  /** The generated parts at their places; the files' bytes are holes, that is zeros. */
  async function writeSparse(path: string, { pieces, size }: ZipLayout) {
    const file = await openFile(path, "w");
    for (const piece of pieces)
      if ("bytes" in piece) await file.write(piece.bytes, 0, piece.size, piece.start);
    await file.truncate(size);
    await file.close();
  }

  const entry = (path: string, size: number): ZipEntry => ({
    path,
    size,
    crc32: 0,
    modifiedAt: NOON,
    key: path,
  });

  async function structure(entries: ZipEntry[]) {
    const path = join(folder, "sparse.zip");
    await writeSparse(path, layoutZip(entries));
    return await asPythonLists(path);
  }

  withPython("is used where a file or a place is beyond 4 GiB, and nowhere else", async () => {
    const tail = 100_000;
    const found = await structure([
      entry("a", 1000),
      entry("b", 5 * GIB),
      entry("c", tail),
      entry("d", 4 * GIB - 1),
    ]);
    const [, , atC = 0, atD = 0] = found.map(([, , at]) => at);
    expect(found).toEqual([
      ["a", 1000, 0, 20],
      ["b", 5 * GIB, expect.any(Number), 45],
      ["c", tail, expect.any(Number), 45],
      ["d", 4 * GIB - 1, expect.any(Number), 45],
    ]);
    expect(atC).toBeGreaterThan(5 * GIB);
    expect(atD - atC).toBe(30 + 1 + 9 + tail);
  });

  withPython("is not used for the largest file and place that do without", async () => {
    const large = 4 * GIB - 2;
    const header = 30 + 1 + 9;
    expect(await structure([entry("a", large)])).toEqual([["a", large, 0, 20]]);
    const two = await structure([entry("a", large - header), entry("b", 1)]);
    expect(two[1]).toEqual(["b", 1, large, 20]);
  });

  test("ranges far beyond 4 GiB come from the right place of the right file", async () => {
    const layout = layoutZip([entry("a", 5 * GIB), entry("b", 6 * GIB)]);
    const asked: unknown[] = [];
    const open = async (key: string, range?: { start: number; end: number }) => {
      asked.push([key, range]);
      return new Blob([text("0123456789")]);
    };
    const start = layout.size - 5 * GIB;
    const at = layout.pieces.find((piece) => "key" in piece && piece.key === "b")?.start ?? 0;
    const read = readZip(layout, { start, end: start + 9 }, open, never);
    expect(await new Response(read).text()).toBe("0123456789");
    expect(asked).toEqual([["b", { start: start - at, end: start - at + 9 }]]);
  });
});

describe("the ETag", () => {
  const base: ZipEntry = { path: "a.txt", size: 5, crc32: 1, modifiedAt: NOON, key: "blob" };
  const anyEntry = fc.record({
    path: fc.constantFrom("a", "b", "ab"),
    size: fc.nat(2),
    crc32: fc.nat(2),
    modifiedAt: fc.constantFrom(NOON, NOON + 1, NOON + 1000),
    key: fc.constantFrom("x", "y"),
  });

  test("is the same exactly for the same names, sizes, checksums, bytes and seconds, in their order", () => {
    const identity = (entries: ZipEntry[]) =>
      JSON.stringify(
        entries.map(({ path, size, crc32, modifiedAt, key }) => [
          path,
          size,
          crc32,
          Math.floor(modifiedAt / 1000),
          // No bytes come from an empty file's blob.
          size > 0 && key,
        ]),
      );
    const entries = fc.array(anyEntry, { maxLength: 2 });
    fc.assert(
      fc.property(entries, entries, (one, other) => {
        expect(layoutZip(one).etag === layoutZip(other).etag).toBe(identity(one) === identity(other));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([{ path: "b.txt" }, { size: 6 }, { crc32: 2 }, { modifiedAt: NOON + 1000 }, { key: "other" }])(
    "changes with %j",
    (change) => expect(layoutZip([{ ...base, ...change }]).etag).not.toBe(layoutZip([base]).etag),
  );

  test("is a hex SHA-256", () => expect(layoutZip([]).etag).toMatch(/^[0-9a-f]{64}$/));
});

describe("a stream that does not end well", () => {
  const bytes = new Uint8Array(5 * MIB);
  const three = () => bundle(["a", "b", "c"].map((path) => ({ path, bytes })));

  test.each([
    ["missing", undefined],
    ["shorter than it was", new Blob([bytes.subarray(1)])],
  ])("says file.corrupt when a blob is %s", async (_, blob) => {
    const { layout, open } = three();
    const failures: unknown[] = [];
    const stream = readZip(
      layout,
      { start: 0, end: layout.size - 1 },
      async (key, range) => (key === "blob-1" ? blob : await open(key, range)),
      never,
      (error) => failures.push(error),
    );
    const failure = await new Response(stream).bytes().catch((error: unknown) => error);
    expect(isWisError(failure, "file.corrupt")).toBe(true);
    expect(failures).toEqual([failure]);
  });

  test("says file.corrupt when a file shrinks or goes while it is read", async () => {
    for (const end of [async (path: string) => rmSync(path), (path: string) => Bun.write(path, "short")]) {
      const path = join(folder, "shrinking");
      await Bun.write(path, bytes);
      const layout = layoutZip([{ path: "a", size: bytes.length, crc32: 0, modifiedAt: NOON, key: "k" }]);
      const open = async (_: string, range?: { start: number; end: number }) =>
        Bun.file(path).slice(range?.start, (range?.end ?? 0) + 1);
      const reader = readZip(layout, { start: 0, end: layout.size - 1 }, open, never).getReader();
      await reader.read();
      await reader.read();
      await end(path);
      const rest = async () => {
        while (!(await reader.read()).done);
      };
      expect(isWisError(await rest().catch((error: unknown) => error), "file.corrupt")).toBe(true);
    }
  });

  test("passes on what the store throws", async () => {
    const { layout } = three();
    const broken = new Error("the store is away");
    const stream = readZip(layout, { start: 0, end: 999 }, () => Promise.reject(broken), never);
    expect(await new Response(stream).bytes().catch((error: unknown) => error)).toBe(broken);
  });

  test("reads nothing before it is asked for, and nothing after it is cancelled", async () => {
    const { layout, open } = three();
    const opened: string[] = [];
    const watched: typeof open = async (key, range) => {
      opened.push(key);
      return await open(key, range);
    };
    const stream = readZip(layout, { start: 0, end: layout.size - 1 }, watched, never);
    expect(opened).toEqual([]);
    const reader = stream.getReader();
    await reader.read();
    expect(opened).toEqual([]);
    await reader.read();
    expect(opened).toEqual(["blob-0"]);
    await reader.cancel();
    expect((await reader.read()).done).toBe(true);
    expect(opened).toEqual(["blob-0"]);
  });

  test("ends with the signal's reason when that is aborted, and calls it no failure", async () => {
    const { layout, open } = three();
    const ending = new AbortController();
    const failures: unknown[] = [];
    const stream = readZip(layout, { start: 0, end: layout.size - 1 }, open, ending.signal, (error) =>
      failures.push(error),
    );
    const reader = stream.getReader();
    await reader.read();
    const reason = new Error("shutting down");
    ending.abort(reason);
    expect(await reader.read().catch((error: unknown) => error)).toBe(reason);
    expect(failures).toEqual([]);
  });
});
