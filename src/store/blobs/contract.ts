import { expect, test } from "bun:test";
import fc from "fast-check";
import type { BlobStore, BlobWriter } from "../../files/blob-ports.ts";
import { newCapability } from "../../lib/capability.ts";

export interface StoreUnderTest extends AsyncDisposable {
  blobs: BlobStore;
  /** The same store as a new process finds it after kill -9. */
  crash(): Promise<BlobStore>;
}

/** What every blob store promises: see files/ports.ts. `open` gives an empty one. */
export function blobStoreContract(open: () => Promise<StoreUnderTest>): void {
  const bytes = (text: string) => new TextEncoder().encode(text);

  async function put(blobs: BlobStore, key: string, ...chunks: Uint8Array[]): Promise<void> {
    const writer = await blobs.create(key);
    for (const chunk of chunks) await writer.write(chunk);
    await writer.commit();
  }

  async function text(blobs: BlobStore, key: string): Promise<string | undefined> {
    return await (await blobs.open(key))?.text();
  }

  const keysOf = async (blobs: BlobStore) => (await Array.fromAsync(blobs.keys())).toSorted();

  test("what went in comes out, however it was cut into chunks, whole and by every range", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    const property = fc.asyncProperty(chunks, fc.nat(), fc.nat(), async (parts, a, b) => {
      const key = newCapability();
      const whole = Buffer.concat(parts);
      await put(blobs, key, ...parts);
      const all = await blobs.open(key);
      expect(all?.size).toBe(whole.length);
      expect(Buffer.from((await all?.bytes()) ?? "")).toEqual(whole);
      if (whole.length === 0) return;
      const [start = 0, end = 0] = [a % whole.length, b % whole.length].toSorted((x, y) => x - y);
      const part = await blobs.open(key, { start, end });
      expect(part?.size).toBe(end - start + 1);
      expect(Buffer.from((await part?.bytes()) ?? "")).toEqual(whole.subarray(start, end + 1));
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test("a large blob streams out as it went in", async () => {
    await using opened = await open();
    const key = newCapability();
    const chunk = crypto.getRandomValues(new Uint8Array(65_536));
    const writer = await opened.blobs.create(key);
    const sent = new Bun.CryptoHasher("sha256");
    // Past every buffer and flush on the way.
    for (let i = 0; i < 1100; i += 1) {
      chunk[0] = i % 256;
      sent.update(chunk);
      await writer.write(chunk);
    }
    await writer.commit();
    const got = new Bun.CryptoHasher("sha256");
    for await (const part of (await opened.blobs.open(key))?.stream() ?? []) got.update(part);
    expect(got.digest("hex")).toBe(sent.digest("hex"));
  });

  test("the caller may reuse a chunk as soon as its write has resolved", async () => {
    await using opened = await open();
    const key = newCapability();
    const chunk = bytes("first ");
    const writer = await opened.blobs.create(key);
    await writer.write(chunk);
    chunk.set(bytes("second"));
    await writer.write(chunk);
    chunk.fill(0);
    await writer.commit();
    expect(await text(opened.blobs, key)).toBe("first second");
  });

  test("nothing is visible before the commit", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const key = newCapability();
    const writer = await blobs.create(key);
    await writer.write(bytes("half"));
    expect(await blobs.open(key)).toBeUndefined();
    expect(await keysOf(blobs)).toEqual([]);
    await writer.commit();
    expect(await text(blobs, key)).toBe("half");
    expect(await keysOf(blobs)).toEqual([key]);
  });

  test("an abort leaves nothing, twice is fine, and after the commit it is too late", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const [cut, kept] = [newCapability(), newCapability()];
    const writer = await blobs.create(cut);
    await writer.write(bytes("half"));
    await writer.abort();
    await writer.abort();
    expect(await blobs.open(cut)).toBeUndefined();
    expect(await blobs.sweep(() => false)).toBe(0);

    const committed = await blobs.create(kept);
    await committed.write(bytes("whole"));
    await committed.commit();
    await committed.abort();
    expect(await text(blobs, kept)).toBe("whole");
  });

  test("an aborted writer can't commit any more", async () => {
    await using opened = await open();
    const key = newCapability();
    const writer = await opened.blobs.create(key);
    await writer.write(bytes("half"));
    await writer.abort();
    await expect(writer.commit()).rejects.toMatchObject({ code: "disk.failed" });
    await writer.abort();
    expect(await opened.blobs.open(key)).toBeUndefined();
  });

  test("a deleted blob is gone, with what was on its way under its key; deleting nothing is fine", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const [key, other] = [newCapability(), newCapability()];
    await put(blobs, key, bytes("old"));
    await put(blobs, other, bytes("other"));
    const writer = await blobs.create(key);
    await writer.write(bytes("new"));
    await blobs.delete(key);
    await blobs.delete(key);
    expect(await blobs.open(key)).toBeUndefined();
    await expect(writer.commit()).rejects.toMatchObject({ code: "disk.failed" });
    await writer.abort();
    expect(await keysOf(blobs)).toEqual([other]);
    expect(await blobs.sweep(() => false)).toBe(0);
  });

  test("two writers of one key never mix: the last commit is what is there, whole", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const key = newCapability();
    const [first, second] = [await blobs.create(key), await blobs.create(key)];
    await Promise.all([first.write(bytes("first")), second.write(bytes("second!"))]);
    await second.commit();
    await first.commit();
    expect(await text(blobs, key)).toBe("first");
  });

  test("what a crash left unfinished is swept, but for what is in use", async () => {
    await using opened = await open();
    const [kept, lost, used] = [newCapability(), newCapability(), newCapability()];
    await put(opened.blobs, kept, bytes("kept"));
    const cut = await Promise.all([lost, used].map((key) => opened.blobs.create(key)));
    for (const writer of cut) await writer.write(bytes("half"));
    const blobs = await opened.crash();
    expect(await blobs.sweep((key) => key === used)).toBe(1);
    expect(await blobs.sweep((key) => key === used)).toBe(0);
    expect(await blobs.sweep(() => false)).toBe(1);
    expect(await keysOf(blobs)).toEqual([kept]);
    expect(await text(blobs, kept)).toBe("kept");
    for (const writer of cut) await writer.abort();
  });

  test("a closed write is resumed at its size by the next process, and nothing is visible until its commit", async () => {
    await using opened = await open();
    const key = newCapability();
    const writer = await opened.blobs.create(key);
    await writer.write(bytes("one "));
    await writer.write(bytes("two "));
    await writer.close();
    await writer.close();
    expect(await opened.blobs.open(key)).toBeUndefined();
    expect(await keysOf(opened.blobs)).toEqual([]);

    const blobs = await opened.crash();
    expect(await (await blobs.unfinished(key))?.text()).toBe("one two ");
    const found = await blobs.resume(key);
    expect(found?.size).toBe(8);
    await found?.writer.write(bytes("three"));
    expect(await blobs.open(key)).toBeUndefined();
    await found?.writer.commit();
    expect(await text(blobs, key)).toBe("one two three");
    expect(await blobs.resume(key)).toBeUndefined();
    expect(await blobs.unfinished(key)).toBeUndefined();
    expect(await blobs.sweep(() => false)).toBe(0);
  });

  test("however often a write is cut, by close or crash, it comes out whole", async () => {
    await using opened = await open();
    const parts = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 6 });
    const property = fc.asyncProperty(parts, async (chunks) => {
      const key = newCapability();
      const cut: BlobWriter[] = [];
      let blobs = opened.blobs;
      let writer = await blobs.create(key);
      let size = 0;
      for (const [chunk, crashes] of chunks) {
        await writer.write(chunk);
        size += chunk.length;
        if (crashes) blobs = await opened.crash();
        else await writer.close();
        cut.push(writer);
        const found = await blobs.resume(key);
        if (!found) throw new Error("nothing to resume");
        expect(found.size).toBe(size);
        writer = found.writer;
      }
      await writer.commit();
      // Their files are another's by now: this only gives their handles back.
      for (const left of cut) await left.abort();
      const whole = Buffer.concat(chunks.map(([chunk]) => chunk));
      expect(Buffer.from((await (await blobs.open(key))?.bytes()) ?? "")).toEqual(whole);
    });
    await fc.assert(property, { numRuns: 20 });
  });

  test("there is nothing to resume of what never began, was aborted, deleted or swept", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const [none, aborted, deleted, swept] = Array.from({ length: 4 }, newCapability);
    for (const key of [aborted, deleted, swept]) {
      const writer = await blobs.create(key ?? "");
      await writer.write(bytes("half"));
      await writer.close();
      if (key === aborted) await writer.abort();
    }
    await blobs.delete(deleted ?? "");
    expect(await blobs.sweep(() => false)).toBe(1);
    for (const key of [none, aborted, deleted, swept]) {
      expect(await blobs.resume(key ?? "")).toBeUndefined();
      expect(await blobs.unfinished(key ?? "")).toBeUndefined();
    }
  });

  test("a closed writer neither writes nor commits, and its abort removes what it left", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const key = newCapability();
    const writer = await blobs.create(key);
    await writer.write(bytes("half"));
    await writer.close();
    await expect(writer.write(bytes("more"))).rejects.toMatchObject({ code: "disk.failed" });
    await expect(writer.commit()).rejects.toMatchObject({ code: "disk.failed" });
    expect(await (await blobs.unfinished(key))?.text()).toBe("half");
    await writer.abort();
    expect(await blobs.unfinished(key)).toBeUndefined();
    expect(await blobs.open(key)).toBeUndefined();
  });

  test("whoever resumes a write has it alone: the writer before can neither add to it nor remove it", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const key = newCapability();
    const first = await blobs.create(key);
    const writing = first.write(bytes("one "));
    const second = await blobs.resume(key);
    await writing;
    expect(second?.size).toBe(4);
    await expect(first.write(bytes("lost"))).rejects.toMatchObject({ code: "disk.failed" });
    await expect(first.commit()).rejects.toMatchObject({ code: "disk.failed" });
    await first.abort();
    await second?.writer.write(bytes("two"));
    await second?.writer.commit();
    expect(await text(blobs, key)).toBe("one two");
  });

  test("a write that is resumed by two at once goes to one of them", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const key = newCapability();
    const writer = await blobs.create(key);
    await writer.write(bytes("half"));
    await writer.close();
    const found = await Promise.allSettled([blobs.resume(key), blobs.resume(key)]);
    const kept = found.flatMap((end) => (end.status === "fulfilled" && end.value ? [end.value.writer] : []));
    const done = await Promise.allSettled(kept.map((resumed) => resumed.commit()));
    expect(done.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await text(blobs, key)).toBe("half");
    expect(await blobs.sweep(() => false)).toBe(0);
  });

  test("a second commit is refused and changes nothing", async () => {
    await using opened = await open();
    const { blobs } = opened;
    const key = newCapability();
    const writer = await blobs.create(key);
    await writer.write(bytes("whole"));
    await writer.commit();
    await expect(writer.commit()).rejects.toMatchObject({ code: "disk.failed" });
    await expect(writer.write(bytes("more"))).rejects.toMatchObject({ code: "disk.failed" });
    await writer.close();
    expect(await text(blobs, key)).toBe("whole");
    expect(await blobs.resume(key)).toBeUndefined();
  });

  test("every committed key is listed once, and nothing else", async () => {
    await using opened = await open();
    const keys = Array.from({ length: 120 }, newCapability);
    for (const key of keys) await put(opened.blobs, key, bytes("x"));
    const half = await opened.blobs.create(newCapability());
    await half.write(bytes("half"));
    expect(await keysOf(opened.blobs)).toEqual(keys.toSorted());
    await half.abort();
  });

  test.each([
    "",
    ".",
    "..",
    "short",
    "a/../../../../../../etc/passwd",
    "../../../../../../../../etc/passwd",
    "/etc/passwd/aaaaaaaaaaaaaaaaaaaa",
    "..\\..\\..\\..\\windows\\system32",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    `${"a".repeat(22)}\0`,
    `${"a".repeat(22)}\n`,
    `${"a".repeat(21)}é`,
    "a".repeat(65),
    "incoming/aaaaaaaaaaaaaaaaaaaaaa",
  ])("%j is no key: it is refused before anything is touched", async (key) => {
    await using opened = await open();
    const { blobs } = opened;
    await expect(blobs.create(key)).rejects.toThrow("not the key of a blob");
    await expect(blobs.open(key)).rejects.toThrow("not the key of a blob");
    await expect(blobs.delete(key)).rejects.toThrow("not the key of a blob");
    await expect(blobs.resume(key)).rejects.toThrow("not the key of a blob");
    await expect(blobs.unfinished(key)).rejects.toThrow("not the key of a blob");
    expect(await keysOf(blobs)).toEqual([]);
  });

  test("it says how many bytes there is room for", async () => {
    await using opened = await open();
    expect(await opened.blobs.free()).toBeGreaterThan(0);
  });
}
