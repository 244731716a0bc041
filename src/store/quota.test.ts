import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { openTestStore } from "./open-test-store.ts";
import {
  arrived,
  claimOf,
  direct,
  joinOf,
  link,
  noWishes,
  openBundle,
  roomy,
  rowOf,
} from "./rows.fixture.ts";

const limits = { maxFiles: 5, maxBytes: 100 };
const owners = ["ada", "bob"] as const;

const kinds = [
  "link",
  "bundle",
  "add",
  "claim",
  "join",
  "reserve",
  "release",
  "finish",
  "extend",
  "delete",
  "erase",
  "expire",
] as const;

/** What one member may try, with whatever row the number points at. */
const attempt = fc.record({
  kind: fc.constantFrom(...kinds),
  owner: fc.constantFrom(...owners),
  row: fc.nat(20),
  size: fc.integer({ min: 0, max: 70 }),
});

test("whatever is tried at once and in whatever order, nobody has more than the quota", async () => {
  const batches = fc.array(fc.array(attempt, { minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 12,
  });
  await using opened = await openTestStore();
  const { files } = opened.store;
  let run = 0;

  await fc.assert(
    fc.asyncProperty(batches, async (steps) => {
      run += 1;
      const rows: { id: string; ticketHash: string }[] = [];
      const target = (index: number) =>
        rows[index % Math.max(rows.length, 1)] ?? { id: "none", ticketHash: "none" };
      const known = (row: { id: string; ticketHash: string | null }) =>
        rows.push({ id: row.id, ticketHash: row.ticketHash ?? "none" });

      const acts: Record<
        (typeof kinds)[number],
        (to: { id: string; ticketHash: string }, size: number, ownerId: string) => Promise<unknown>
      > = {
        async link(_, __, ownerId) {
          const row = link({ ownerId, linkExpiresAt: 60 });
          known(row);
          return await files.insert(row, limits);
        },
        async bundle(_, size, ownerId) {
          const row = link({ ownerId, linkExpiresAt: 60 });
          known(row);
          await files.insert(row, limits);
          return await files.prepare(row.ticketHash, { expected: 2 + (size % 4), wishes: noWishes }, 1);
        },
        async add(_, size, ownerId) {
          const row = direct({ ownerId, size });
          known(row);
          return await files.insert(row, limits);
        },
        claim: (to, size) => files.claim(claimOf(to, { size, now: 1, ...limits })),
        async join(to, size) {
          const joining = joinOf(to, { size, now: 1, maxBytes: limits.maxBytes });
          known({ id: joining.id, ticketHash: null });
          return await files.join(joining);
        },
        reserve: ({ id }, size) => files.reserve(id, size, limits.maxBytes),
        release: ({ id }) => files.release([id]),
        async finish({ id }) {
          const found = await files.find(id);
          if (found?.state !== "uploading") return;
          const done = arrived("", { size: found.size, readyAt: 1, expiresAt: 50 });
          return await files.finish(found, done, undefined);
        },
        extend: ({ id }, size) => files.setExpiry(id, size),
        delete: ({ id }) => files.markDeleting(id),
        async erase({ id }) {
          await files.retire([id]);
          await files.remove([id], 1);
        },
        expire: (_, size) => files.markExpired(size, 3),
      };

      for (const together of steps) {
        await Promise.all(
          together.map(({ kind, owner, row, size }) => acts[kind](target(row), size, `${owner}${run}`)),
        );
        for (const owner of owners) {
          const { files: count, bytes } = await files.usage(`${owner}${run}`);
          expect(count).toBeLessThanOrEqual(limits.maxFiles);
          expect(bytes).toBeLessThanOrEqual(limits.maxBytes);
        }
      }
    }),
    { numRuns: 60 },
  );
}, 30_000);

test("of a hundred claims of room for one, through links of one owner, exactly one gets it", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  await files.insert(direct({ ownerId: "ada", size: 85 }), roomy);
  const links = Array.from({ length: 100 }, () => link({ ownerId: "ada" }));
  for (const row of links) await files.insert(row, roomy);
  const claims = await Promise.all(links.map((row) => files.claim(claimOf(row, { maxBytes: 100 }))));
  expect(claims.filter(Boolean)).toHaveLength(1);
  expect((await files.usage("ada")).bytes).toBe(95);
});

test("of a hundred files for a bundle with room for one, exactly one gets it", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 200, { ownerId: "ada" });
  await files.join(joinOf(bundle, { size: 85, path: "first" }));
  const joins = Array.from({ length: 100 }, (_, i) => joinOf(bundle, { path: `${i}`, maxBytes: 100 }));
  expect((await Promise.all(joins.map((join) => files.join(join)))).filter(Boolean)).toHaveLength(1);
  // A bundle is one file, whatever it holds.
  expect(await files.usage("ada")).toEqual({ files: 1, bytes: 95 });
});

test("of a hundred files for the last place of a bundle, exactly one gets it", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const bundle = await openBundle(files, 2);
  await files.join(joinOf(bundle));
  const joins = Array.from({ length: 100 }, (_, i) => joinOf(bundle, { path: `${i}` }));
  expect((await Promise.all(joins.map((join) => files.join(join)))).filter(Boolean)).toHaveLength(1);
});

test.each([
  ["bytes", { maxFiles: 1000, maxBytes: 95 }],
  ["files", { maxFiles: 2, maxBytes: 1e12 }],
])("of a hundred uploads without a link and with %s for one, exactly one gets in", async (_, room) => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  await files.insert(direct({ ownerId: "ada", size: 85 }), roomy);
  const adds = Array.from({ length: 100 }, () => direct({ ownerId: "ada", size: 10 }));
  expect((await Promise.all(adds.map((row) => files.insert(row, room)))).filter(Boolean)).toHaveLength(1);
});

test("what is being deleted counts until its bytes are gone", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = direct({ ownerId: "ada", size: 10 });
  await files.insert(row, roomy);
  await files.finish(row, arrived(), undefined);
  await files.markDeleting(row.id);
  expect(await files.usage("ada")).toEqual({ files: 1, bytes: 10 });
  await files.retire([row.id]);
  expect(await files.usage("ada")).toEqual({ files: 1, bytes: 10 });
  await files.remove([row.id], 1);
  expect(await files.usage("ada")).toEqual({ files: 0, bytes: 0 });
});

test("everybody's files count in full, though their bytes are kept once", async () => {
  await using opened = await openTestStore();
  const { files, blobs } = opened.store;
  for (const ownerId of ["ada", "ada", "bob"]) {
    const row = direct({ ownerId });
    await files.insert(row, roomy);
    rowOf(await files.finish(row, arrived(), undefined));
  }
  expect(await files.usage("ada")).toEqual({ files: 2, bytes: 20 });
  expect(await files.usage("bob")).toEqual({ files: 1, bytes: 10 });
  expect(await blobs.total("disk")).toEqual({ blobs: 1, bytes: 10 });
});

test("four processes at once share one ticket and one quota as one would", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const row = link({ ownerId: "ada", linkExpiresAt: 1e15 });
  await files.insert(row, limits);

  const script = fileURLToPath(new URL("./rival.fixture.ts", import.meta.url));
  const rivals = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, script, opened.dataDir, row.ticketHash], { stdin: "pipe", stdout: "pipe" }),
  );
  // All are ready before any begins.
  const outputs = rivals.map(({ stdout }) => stdout.getReader());
  await Promise.all(outputs.map((output) => output.read()));
  for (const { stdin } of rivals) await stdin.end();
  const results = await Promise.all(
    outputs.map(async (output) => JSON.parse(new TextDecoder().decode((await output.read()).value))),
  );

  const sum = (key: string) => results.reduce((total, result) => total + result[key], 0);
  expect(sum("claimed")).toBe(1);
  expect(sum("inserted")).toBe(limits.maxFiles - 1);
  expect(await files.usage("ada")).toEqual({ files: 5, bytes: 50 });
});
