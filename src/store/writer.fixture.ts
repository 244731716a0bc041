// A process that writes links and files until it is killed, and says of each when it is acknowledged.
import { newCapability } from "../lib/capability.ts";
import { openStore } from "./open.ts";
import { quiet } from "./open-test-store.ts";

const store = await openStore({ dataDir: process.argv[2] ?? "", log: quiet });
const limits = { maxFiles: 1e9, maxBytes: 1e15 };

while (true) {
  const row = { id: newCapability(), ownerId: "1", name: "n", size: 1, origin: null, createdAt: 1 };
  await store.files.insert({ ...row, ticketHash: null, linkExpiresAt: null, claimed: true }, limits);
  const done = { size: 1, sha256: "a".repeat(64), contentType: "t", readyAt: 1, expiresAt: 1e15 };
  await store.files.finish(row.id, done, undefined);
  console.log(row.id);
}
