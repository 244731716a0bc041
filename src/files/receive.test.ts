import { describe, expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import {
  bodyOf,
  codeOf,
  givenBack,
  incoming,
  openTestDesk,
  slowBody,
  type TestDesk,
  ticketIn,
  traceOf,
} from "../testing/file-desk.ts";
import type { BlobStore, BlobWriter } from "./blob-ports.ts";

const owner = "111111111111111111";

const newTicket = async (desk: TestDesk) => ticketIn(await desk.files.issue({ ownerId: owner }));

/** A store whose writers count their writes, and fail where they are told to. */
function faulty(blobs: BlobStore, fault: (step: string, count: number) => void): BlobStore {
  let writes = 0;
  return {
    ...blobs,
    async create(key) {
      fault("create", 0);
      const writer = await blobs.create(key);
      return {
        ...writer,
        async write(chunk) {
          writes += 1;
          fault("write", writes);
          await writer.write(chunk);
        },
        async commit() {
          fault("commit", 0);
          await writer.commit();
          fault("committed", 0);
        },
      } satisfies BlobWriter;
    },
  };
}

test("a million tiny chunks are a few writes, and other work gets its turn meanwhile", async () => {
  let writes = 0;
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) =>
      faulty(blobs, (step) => {
        if (step === "write") writes += 1;
      }),
  });
  const tiny = new Uint8Array([1, 2]);
  function* chunks() {
    for (let count = 0; count < 1_000_000; count += 1) yield tiny;
  }
  let turns = 0;
  const turning = setInterval(() => {
    turns += 1;
  }, 0);
  const file = await desk.files.add(
    { ownerId: owner },
    incoming({ body: bodyOf(chunks()), length: undefined }),
  );
  clearInterval(turning);
  expect(file.size).toBe(2_000_000);
  expect(writes).toBeLessThan(40);
  expect(turns).toBeGreaterThan(20);
});

const diskFull = () => new WisError("disk.full", { say: "The disk is full." });

describe("a disk that fills up at any step leaves nothing and gives the ticket back", () => {
  test.each(["create", "write 1", "write 2", "write 5", "commit", "committed"])("%s", async (when) => {
    const [step, count] = when.split(" ");
    await using desk = await openTestDesk({
      wrapBlobs: (blobs) =>
        faulty(blobs, (at, nth) => {
          if (at === step && (count === undefined || nth === Number(count))) throw diskFull();
        }),
    });
    const ticket = await newTicket(desk);
    const body = bodyOf(Array.from({ length: 8 }, () => new Uint8Array(400_000)));
    expect(await codeOf(desk.files.upload(ticket, incoming({ body, length: 3_200_000 })))).toBe("disk.full");
    expect(await traceOf(desk, ticket)).toEqual(givenBack);
  });
});

test("an upload that would leave too little disk is refused before a byte is read", async () => {
  await using desk = await openTestDesk({
    minFreeDisk: 1000,
    wrapBlobs: (blobs) => ({ ...blobs, free: async () => 1500 }),
  });
  const ticket = await newTicket(desk);
  const sender = slowBody();
  expect(await codeOf(desk.files.upload(ticket, incoming({ body: sender.body, length: 501 })))).toBe(
    "disk.full",
  );
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
});

test("a database that fails at the end leaves no bytes without a row", async () => {
  await using desk = await openTestDesk({
    wrapIndex: (index) => ({ ...index, finish: () => Promise.reject(new Error("disk I/O error")) }),
  });
  const ticket = await newTicket(desk);
  await expect(desk.files.upload(ticket, incoming())).rejects.toThrow("disk I/O error");
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
});

test("a database that made the file ready but lost its answer keeps row and bytes together", async () => {
  await using desk = await openTestDesk({
    wrapIndex: (index) => ({
      ...index,
      async finish(...args) {
        await index.finish(...args);
        throw new Error("connection lost");
      },
    }),
  });
  const link = await desk.files.issue({ ownerId: owner });
  await desk.files
    .upload(ticketIn(link), incoming())
    .catch((error) => expect(error.message).toBe("connection lost"));
  expect(await desk.verify()).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
  expect(await (await desk.files.open(await desk.files.get(link.fileId))).text()).toBe("hello");
});

test("an upload that was given up meanwhile as dead leaves no bytes when it ends after all", async () => {
  await using desk = await openTestDesk();
  const sender = slowBody();
  const upload = desk.files.add({ ownerId: owner }, incoming({ body: sender.body, length: 5 }));
  await sender.wanted();
  const [row] = await Array.fromAsync(desk.files.list({}));
  await desk.store.files.release([row?.id ?? ""]);
  sender.send("hello");
  sender.end();
  expect(await codeOf(upload)).toBe("upload.cut");
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
});
