import { expect, test } from "bun:test";
import fc from "fast-check";
import { codeOf, openTestDesk, slowBody, type TestDeskOptions, ticketIn } from "../testing/file-desk.ts";
import {
  append,
  appendBody,
  begin,
  contentOf,
  cutAfter,
  newTicket,
  owner,
  sha256,
  sound,
  wrapWriters,
} from "../testing/resumable.ts";
import type { BlobStore } from "./blob-ports.ts";
import { createDigest, createDigestCache } from "./digest.ts";
import { uploadPace } from "./pace.ts";

test("an upload begun reserves its size, grows by parts, and is a file with its last byte", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const ticket = ticketIn(link);
  const { key, ...begun } = await begin(desk, ticket, 10);
  expect(begun).toEqual({ length: 10, received: 0, file: undefined });
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 10 });
  expect(await append(desk, key, 0, "hello")).toMatchObject({ received: 5, file: undefined });
  expect(await desk.files.inspect(ticket)).toMatchObject({
    state: "open",
    arriving: [{ name: "hello.txt", size: 10, received: 5, ready: false }],
  });
  const { file } = await append(desk, key, 5, "world");
  expect(file).toMatchObject({ id: link.fileId, size: 10, sha256: sha256("helloworld") });
  expect(await desk.files.progress(key)).toMatchObject({
    length: 10,
    received: 10,
    file: { id: link.fileId },
  });
  expect(await desk.files.inspect(ticket)).toMatchObject({ state: "used", file: { id: link.fileId } });
  expect(desk.wakes()).toBe(1);
});

test("an empty file is there as soon as it is begun", async () => {
  await using desk = await openTestDesk();
  const { file, received } = await begin(desk, await newTicket(desk), 0);
  expect(file).toMatchObject({ size: 0, sha256: sha256("") });
  expect(received).toBe(0);
  expect(await desk.verify()).toEqual(sound);
});

test("what arrived before a cut stays to the byte, wherever it is cut", async () => {
  await using desk = await openTestDesk();
  const text = "abcdefghijklmnopqrstuvwxyz";
  for (let at = 0; at < text.length; at += 1) {
    const { key } = await begin(desk, await newTicket(desk), text.length);
    await cutAfter(desk, key, 0, text.slice(0, at));
    expect((await desk.files.progress(key)).received).toBe(at);
    const { file } = await append(desk, key, at, text.slice(at));
    expect(file?.sha256).toBe(sha256(text));
  }
  expect(await desk.verify()).toEqual(sound);
});

test("however often it is cut, ended early or begins with nothing, the file is what was sent", async () => {
  await using desk = await openTestDesk({ limits: { maxFiles: 10_000 } });
  const parts = fc.array(fc.record({ size: fc.oneof(fc.nat(3), fc.nat(700_000)), cut: fc.boolean() }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(parts, async (steps) => {
      const whole = Buffer.concat(steps.map(({ size }, i) => new Uint8Array(size).fill(i + 1)));
      const { key } = await begin(desk, await newTicket(desk), whole.length + 1);
      let offset = 0;
      for (const { size, cut } of steps) {
        const bytes = whole.subarray(offset, offset + size);
        if (cut) await cutAfter(desk, key, offset, Uint8Array.from(bytes));
        else await append(desk, key, offset, Uint8Array.from(bytes));
        offset += size;
        expect((await desk.files.progress(key)).received).toBe(offset);
      }
      const { file } = await append(desk, key, offset, "!");
      if (!file) throw new Error("it is not whole");
      const sent = Buffer.concat([whole, Buffer.from("!")]);
      expect(file.sha256).toBe(sha256(sent));
      expect((await contentOf(desk, file.id)).equals(sent)).toBe(true);
      await desk.files.remove(file.id, "admin");
    }),
    { numRuns: 25 },
  );
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

/** A desk whose disk says when it has taken so many writes. */
function countingWrites(): { options: TestDeskOptions; wrote(count: number): Promise<void> } {
  let writes = 0;
  let more = Promise.withResolvers<void>();
  const wrapBlobs = (blobs: BlobStore) =>
    wrapWriters(blobs, (writer) => ({
      ...writer,
      async write(chunk) {
        await writer.write(chunk);
        writes += 1;
        more.resolve();
        more = Promise.withResolvers();
      },
    }));
  return {
    options: { wrapBlobs },
    async wrote(count) {
      while (writes < count) await more.promise;
    },
  };
}

test("after a crash in the middle of a part it goes on where its bytes end, and the hash is right", async () => {
  const bytes = new Uint8Array(1_500_000).map((_, i) => (i * 7) % 251);
  for (const repaired of [false, true]) {
    const { options, wrote } = countingWrites();
    const first = await openTestDesk(options);
    const { key } = await begin(first, await newTicket(first), bytes.length);
    await append(first, key, 0, bytes.slice(0, 300_000));
    const stalls = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes.slice(300_000, 1_000_000)),
    });
    // The process dies before it has an answer.
    void appendBody(first, key, stalls, 300_000);
    await wrote(3);

    await using desk = await first.crash();
    if (repaired) expect(await desk.repair()).toMatchObject({ uploads: 0, fragments: 0, failed: 0 });
    expect(await desk.verify()).toEqual(sound);
    expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: bytes.length });
    const { received } = await desk.files.progress(key);
    expect(received).toBeGreaterThan(300_000);
    const { file } = await append(desk, key, received, bytes.slice(received));
    expect(file?.sha256).toBe(sha256(bytes));
    expect(await desk.verify()).toEqual(sound);
    expect(await desk.blobs.sweep(() => false)).toBe(0);
  }
});

/** A desk that counts how often unfinished bytes are read again. */
function countingReads(): { options: TestDeskOptions; reads(): number } {
  let reads = 0;
  const wrapBlobs = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    async unfinished(key) {
      const blob = await blobs.unfinished(key);
      if (!blob) return undefined;
      const stream = blob.stream.bind(blob);
      return Object.assign(blob, {
        stream() {
          reads += 1;
          return stream();
        },
      });
    },
  });
  return { options: { wrapBlobs }, reads: () => reads };
}

test("what this process has hashed is not read again; after a crash it is, once", async () => {
  const { options, reads } = countingReads();
  const first = await openTestDesk(options);
  const { key } = await begin(first, await newTicket(first), 20);
  await append(first, key, 0, "hello");
  await cutAfter(first, key, 5, "world");
  await append(first, key, 10, "again");
  expect(reads()).toBe(0);

  const again = countingReads();
  await using desk = await first.crash(again.options);
  const { file } = await append(desk, key, 15, "twice");
  expect(file?.sha256).toBe(sha256("helloworldagaintwice"));
  expect(again.reads()).toBe(1);
});

test("bytes that the disk has not taken count neither as received nor in the hash", async () => {
  let broken = false;
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) =>
      wrapWriters(blobs, (writer) => ({
        ...writer,
        async write(chunk) {
          if (broken) throw new Error("EIO");
          await writer.write(chunk);
        },
      })),
  });
  const { key } = await begin(desk, await newTicket(desk), 10);
  await append(desk, key, 0, "hello");
  broken = true;
  await expect(append(desk, key, 5, "world")).rejects.toThrow("EIO");
  broken = false;
  expect((await desk.files.progress(key)).received).toBe(5);
  expect((await append(desk, key, 5, "there")).file?.sha256).toBe(sha256("hellothere"));
});

test("of digests that wait only so many are kept, each for exactly the bytes that it is of", () => {
  const cache = createDigestCache(2);
  const digest = (text: string) => {
    const made = createDigest();
    made.update(Buffer.from(text));
    return made;
  };
  for (const key of ["a", "b", "c"]) cache.put(key, digest(key));
  expect(cache.take("a", 1)).toBeUndefined();
  expect(cache.take("b", 1)?.end().sha256).toBe(sha256("b"));
  expect(cache.take("b", 1)).toBeUndefined();
  expect(cache.take("c", 2)).toBeUndefined();
  expect(cache.take("c", 1)).toBeUndefined();
});

test("a sender who stalls is cut, and what came before stays", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), 10);
  const sender = slowBody();
  const going = appendBody(desk, key, sender.body);
  await sender.wanted();
  sender.send("hello");
  await sender.wanted();
  desk.clock.now += uploadPace.stall;
  desk.beat();
  expect(await codeOf(going)).toBe("upload.slow");
  await sender.cancelled;
  expect((await append(desk, key, 5, "world")).file?.sha256).toBe(sha256("helloworld"));
});

test("who sends it is in the audit", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), 5);
  const { file } = await append(desk, key, 0, "hello");
  expect(await desk.files.audit({ fileId: file?.id ?? "", limit: 10 })).toMatchObject([
    { action: "uploaded", who: owner, name: "hello.txt" },
  ]);
});
