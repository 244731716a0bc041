import { expect } from "bun:test";
import { createHash } from "node:crypto";
import type { BlobStore, BlobWriter } from "../files/blob-ports.ts";
import type { Resumable } from "../files/files.ts";
import { bodyOf, codeOf, type TestDesk, ticketIn } from "./file-desk.ts";

// Resumable uploads as their senders drive them, and the faults that meet them.

export const owner = "111111111111111111";
export const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };

export const newTicket = async (desk: TestDesk) => ticketIn(await desk.files.issue({ ownerId: owner }));
export const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** Begins one of that length, under that path in a bundle. */
export function begin(
  desk: TestDesk,
  ticket: string,
  length: number | undefined,
  path = "hello.txt",
): Promise<Resumable> {
  return desk.files.begin(ticket, { name: path, path, contentType: undefined, length });
}

/** Sends one part. */
export function append(
  desk: TestDesk,
  key: string,
  offset: number,
  bytes: string | Uint8Array,
): Promise<Resumable> {
  const body = bodyOf(bytes.length === 0 ? [] : [bytes]);
  return desk.files.append(key, offset, { body, signal: new AbortController().signal });
}

/** Sends a part of which nobody sees the end. */
export function appendBody(
  desk: TestDesk,
  key: string,
  body: ReadableStream<Uint8Array>,
  offset = 0,
): Promise<Resumable> {
  return desk.files.append(key, offset, { body, signal: new AbortController().signal });
}

/** A body whose connection breaks behind `bytes`. */
export function brokenBody(bytes: string | Uint8Array): ReadableStream<Uint8Array> {
  function* broken() {
    if (bytes.length > 0) yield bytes;
    throw new Error("ECONNRESET");
  }
  return bodyOf(broken());
}

/** Sends `bytes` and loses the connection behind them. */
export async function cutAfter(
  desk: TestDesk,
  key: string,
  offset: number,
  bytes: string | Uint8Array,
): Promise<void> {
  expect(await codeOf(appendBody(desk, key, brokenBody(bytes), offset))).toBe("upload.cut");
}

/** Everything that is stored of a share. */
export async function contentOf(desk: TestDesk, id: string): Promise<Buffer> {
  return Buffer.from(await (await desk.files.open(await desk.files.get(id))).arrayBuffer());
}

/** A store whose writers, new and resumed ones, go through `wrap`. */
export function wrapWriters(blobs: BlobStore, wrap: (writer: BlobWriter) => BlobWriter): BlobStore {
  return {
    ...blobs,
    create: async (key) => wrap(await blobs.create(key)),
    async resume(key) {
      const found = await blobs.resume(key);
      return found && { ...found, writer: wrap(found.writer) };
    },
  };
}
