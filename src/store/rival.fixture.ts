// A process that wants the same ticket and the same quota as its rivals: 25 times each, once stdin ends.
import { openStore } from "./open.ts";
import { quiet } from "./open-test-store.ts";
import { claimOf, direct } from "./rows.fixture.ts";

const [, , dataDir = "", ticketHash = ""] = process.argv;
const store = await openStore({ dataDir, log: quiet, migrate: false });
const limits = { maxFiles: 5, maxBytes: 100 };
console.log("ready");
await Bun.stdin.text();

const claims = Array.from({ length: 25 }, () =>
  store.files.claim(claimOf({ ticketHash }, { maxBytes: 100, now: 1 })),
);
const inserts = Array.from({ length: 25 }, () =>
  store.files.insert(direct({ ownerId: "ada", size: 10 }), limits),
);
const claimed = (await Promise.all(claims)).filter((row) => row !== undefined).length;
const inserted = (await Promise.all(inserts)).filter(Boolean).length;
await store[Symbol.asyncDispose]();
console.log(JSON.stringify({ claimed, inserted }));
