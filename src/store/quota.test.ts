import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { hashCapability, newCapability } from "../lib/capability.ts";
import { openTestStore } from "./open-test-store.ts";

const limits = { maxFiles: 5, maxBytes: 100 };
const owners = ["ada", "bob"] as const;

/** What one member may try, with whatever row the number points at. */
const attempt = fc.record({
  kind: fc.constantFrom("link", "add", "claim", "reserve", "release", "finish", "extend", "delete", "expire"),
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

      async function apply({
        kind,
        owner,
        row,
        size,
      }: typeof attempt extends fc.Arbitrary<infer A> ? A : never) {
        const { id, ticketHash } = target(row);
        if (kind === "claim") return await files.claim({ ticketHash, name: "n", size, now: 1, ...limits });
        if (kind === "reserve") return await files.reserve(id, size, limits.maxBytes);
        if (kind === "release") return await files.release([id]);
        if (kind === "extend") return await files.setExpiry(id, size);
        if (kind === "delete") return await files.markDeleting(id);
        if (kind === "expire") return await files.markExpired(size, 3);
        if (kind === "finish") {
          const found = await files.find(id);
          const done = {
            size: found?.size ?? 0,
            sha256: "a".repeat(64),
            contentType: "t",
            readyAt: 1,
            expiresAt: 50,
          };
          return await files.finish(id, done, undefined);
        }
        const fresh = { id: newCapability(), ticketHash: hashCapability(newCapability()) };
        rows.push(fresh);
        const claimed = kind === "add";
        const given = { ...fresh, ownerId: `${owner}${run}`, origin: null, createdAt: 0 };
        return await files.insert(
          claimed
            ? { ...given, ticketHash: null, claimed, name: "n", size, linkExpiresAt: null }
            : { ...given, claimed, name: null, size: 0, linkExpiresAt: 60 },
          limits,
        );
      }

      for (const together of steps) {
        await Promise.all(together.map(apply));
        for (const owner of owners) {
          const { files: count, bytes } = await files.usage(`${owner}${run}`);
          expect(count).toBeLessThanOrEqual(limits.maxFiles);
          expect(bytes).toBeLessThanOrEqual(limits.maxBytes);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("four processes at once share one ticket and one quota as one would", async () => {
  await using opened = await openTestStore();
  const { files } = opened.store;
  const ticketHash = hashCapability(newCapability());
  const row = { id: newCapability(), ownerId: "ada", name: null, size: 0, origin: null, createdAt: 0 };
  await files.insert({ ...row, ticketHash, linkExpiresAt: 1e15, claimed: false }, limits);

  const script = fileURLToPath(new URL("./rival.fixture.ts", import.meta.url));
  const rivals = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, script, opened.dataDir, ticketHash], { stdin: "pipe", stdout: "pipe" }),
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
