// A process whose data dir lies on a disk that it fills, and what blobs and database say to that.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { newCapability } from "../../lib/capability.ts";
import { openStore } from "../open.ts";
import { quiet } from "../open-test-store.ts";
import { openDiskBlobs } from "./disk.ts";

const dataDir = process.argv[2] ?? "";
const store = await openStore({ dataDir, log: quiet });
const blobs = await openDiskBlobs({ dir: join(dataDir, "files") });
const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : String(error));

const insert = () =>
  store.files.insert(
    {
      id: newCapability(),
      ticketHash: newCapability(),
      ownerId: "1",
      name: null,
      size: 0,
      origin: null,
      createdAt: 1,
      linkExpiresAt: 2,
      asker: null,
      uploadKey: null,
      length: null,
      contentType: null,
    },
    { maxFiles: 1e9, maxBytes: 1 },
  );

async function fillWithRows() {
  while (true) await insert();
}

const writer = await blobs.create(newCapability());
const block = new Uint8Array(100_000);
async function fillWithBytes() {
  while (true) await writer.write(block);
}

const blob = await fillWithBytes().catch(codeOf);
const row = await fillWithRows().catch(codeOf);
await writer.abort();
const left = await readdir(join(dataDir, "files", "incoming"));
const rowAfterwards = await insert();

const key = newCapability();
const again = await blobs.create(key);
await again.write(new TextEncoder().encode("bytes"));
await again.commit();
const blobAfterwards = await (await blobs.open(key))?.text();
await store[Symbol.asyncDispose]();
console.log(JSON.stringify({ blob, left, row, rowAfterwards, blobAfterwards }));
