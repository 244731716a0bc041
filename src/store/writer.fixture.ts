// A process that writes links and files until it is killed, and says of each when it is acknowledged.
import { openStore } from "./open.ts";
import { quiet } from "./open-test-store.ts";
import { arrived, direct } from "./rows.fixture.ts";

const store = await openStore({ dataDir: process.argv[2] ?? "", log: quiet });
const limits = { maxFiles: 1e9, maxBytes: 1e15 };

while (true) {
  const row = direct();
  await store.files.insert(row, limits);
  // Each its own bytes, so that each has a blob of its own.
  await store.files.finish(row, arrived(row.id, { readyAt: 1, expiresAt: 1e15 }), undefined);
  console.log(row.id);
}
