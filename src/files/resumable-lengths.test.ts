import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { bodyOf, codeOf, givenBack, openTestDesk, traceOf } from "../testing/file-desk.ts";
import { append, appendBody, begin, newTicket, owner, sha256 } from "../testing/resumable.ts";

test("more bytes than were announced are refused; those that were announced stay", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), 5);
  expect(await codeOf(append(desk, key, 0, "hello world"))).toBe("upload.length_mismatch");
  const { received } = await desk.files.progress(key);
  expect(received).toBeLessThanOrEqual(5);
  expect((await append(desk, key, received, "hello".slice(received))).file?.sha256).toBe(sha256("hello"));
});

test("a length may be announced later, once, and never a lie", async () => {
  await using desk = await openTestDesk({ limits: { maxFileSize: 1000 } });
  const { key, length } = await begin(desk, await newTicket(desk), undefined);
  expect(length).toBeUndefined();
  await append(desk, key, 0, "hello");
  expect(await codeOf(desk.files.announce(key, 1001))).toBe("file.too_large");
  expect(await codeOf(desk.files.announce(key, 4))).toBe("upload.length_mismatch");
  await desk.files.announce(key, 10);
  await desk.files.announce(key, 10);
  expect(await codeOf(desk.files.announce(key, 11))).toBe("upload.length_mismatch");
  expect(await desk.files.progress(key)).toMatchObject({ length: 10, received: 5 });
  expect((await append(desk, key, 5, "world")).file?.sha256).toBe(sha256("helloworld"));
});

test("a length that is announced when all is there makes it a file for whoever asks next", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), undefined);
  expect((await append(desk, key, 0, "hello")).file).toBeUndefined();
  await desk.files.announce(key, 5);
  expect((await desk.files.progress(key)).file?.sha256).toBe(sha256("hello"));
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 5 });
});

test("an announced length is reserved at once, and refused when there is no room for it", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 100 } });
  const { key } = await begin(desk, await newTicket(desk), undefined);
  await desk.files.announce(key, 60);
  expect((await desk.files.usage(owner)).bytes).toBe(60);
  const other = await begin(desk, await newTicket(desk), undefined);
  expect(await codeOf(desk.files.announce(other.key, 41))).toBe("quota.bytes");
  await desk.files.announce(other.key, 40);
  expect((await desk.files.usage(owner)).bytes).toBe(100);
});

test("what is begun counts with all its bytes: nobody begins more than they may have", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 100, maxFileSize: 90 } });
  const first = await begin(desk, await newTicket(desk), 60);
  expect(await codeOf(begin(desk, await newTicket(desk), 91))).toBe("file.too_large");
  expect(await codeOf(begin(desk, await newTicket(desk), 41))).toBe("quota.bytes");
  await desk.files.cancel(first.key);
  expect((await begin(desk, await newTicket(desk), 41)).received).toBe(0);
});

test("an upload of unknown length ends where its owner's room ends, and what fits stays until it goes on", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 1_000_000 } });
  const { key } = await begin(desk, await newTicket(desk), undefined);
  const chunks = Array.from({ length: 20 }, () => new Uint8Array(100_000));
  expect(await codeOf(appendBody(desk, key, bodyOf(chunks)))).toBe("quota.bytes");
  const { received } = await desk.files.progress(key);
  expect(received).toBeLessThanOrEqual(1_000_000);
  expect((await desk.files.usage(owner)).bytes).toBeLessThanOrEqual(1_000_000);
  await desk.files.announce(key, received);
  expect((await desk.files.progress(key)).file?.size).toBe(received);
});

test("the disk that is too full to begin refuses before anything is claimed", async () => {
  await using desk = await openTestDesk({
    minFreeDisk: 1000,
    wrapBlobs: (blobs) => ({ ...blobs, free: async () => 1500 }),
  });
  const ticket = await newTicket(desk);
  expect(await codeOf(begin(desk, ticket, 501))).toBe("disk.full");
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
});

test("the disk's free minimum is kept while the parts come", async () => {
  let free = 1e9;
  await using desk = await openTestDesk({
    minFreeDisk: 1000,
    wrapBlobs: (blobs) => ({ ...blobs, free: async () => free }),
  });
  const { key } = await begin(desk, await newTicket(desk), 5);
  free = 1004;
  expect(await codeOf(append(desk, key, 0, "hello"))).toBe("disk.full");
  free = 1005;
  expect((await append(desk, key, 0, "hello")).file?.size).toBe(5);
});

test("a disk that fails when an upload is begun gives everything back at once", async () => {
  for (const step of ["create", "close"] as const) {
    let isFull = true;
    const failing = async () => {
      if (isFull) throw new WisError("disk.full", { say: "The disk is full." });
    };
    await using desk = await openTestDesk({
      wrapBlobs: (blobs) => ({
        ...blobs,
        async create(key) {
          if (step === "create") await failing();
          const writer = await blobs.create(key);
          return {
            ...writer,
            close: () => (step === "close" ? failing().then(writer.close) : writer.close()),
          };
        },
      }),
    });
    const ticket = await newTicket(desk);
    expect(await codeOf(begin(desk, ticket, 500))).toBe("disk.full");
    expect(await traceOf(desk, ticket)).toEqual(givenBack);
    isFull = false;
    expect((await begin(desk, ticket, 500)).received).toBe(0);
  }
});
