import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const beliefs = readFileSync(join(root, "docs/beliefs.md"), "utf8").split(/^## /m).slice(1);

interface Proof {
  path: string;
  /** The test's or group's name; a script proves by what it measures or runs. */
  name: string | undefined;
}

function proofsOf(text: string): Proof[] {
  return [...text.matchAll(/`((?:src|scripts)\/[^`]+)`(?: › "([^"]+)")?/g)].map(([, path = "", name]) => ({
    path,
    name,
  }));
}

/** A proof runs wherever the gate does: what is skipped, or to be written, proves nothing. */
function holds({ path, name }: Proof): boolean {
  const file = join(root, path);
  if (!existsSync(file)) return false;
  if (name === undefined) return path.startsWith("scripts/");
  // `test("…"`, `describe("…"`, or the end of a table, `test.each([…])("…"`, that is not `test.skipIf(…)("…"`.
  const call = String.raw`(?:\b(?:test|describe)|(?<!\.(?:skip|todo)If\([^()]*)\))`;
  return new RegExp(String.raw`${call}\(\s*"${RegExp.escape(name)}"`).test(readFileSync(file, "utf8"));
}

test.each(beliefs.map((belief) => [belief.split("\n")[0] ?? "", belief]))(
  "%s has a proof that exists",
  (_, belief) => {
    const proofs = proofsOf(belief);
    expect(proofs.length).toBeGreaterThan(0);
    expect(proofs.filter((proof) => !holds(proof))).toEqual([]);
  },
);

test("all fifteen core beliefs are there", () => {
  expect(beliefs).toHaveLength(15);
});

test("every line that promises a proof names one", () => {
  const promises = beliefs
    .flatMap((belief) => belief.split("\n"))
    .filter((line) => /^(?:-|\| (?!case |-))/.test(line));
  expect(promises.length).toBeGreaterThan(50);
  expect(promises.filter((line) => proofsOf(line).length === 0)).toEqual([]);
});

test("a proof that is missing or skipped is noticed", () => {
  const path = "src/store/blobs/disk.test.ts";
  expect(holds({ path, name: "blobs are their owner's alone" })).toBe(true);
  expect(holds({ path, name: "blobs are everybody's" })).toBe(false);
  expect(holds({ path: "src/gone.test.ts", name: "blobs are their owner's alone" })).toBe(false);
  expect(holds({ path, name: undefined })).toBe(false);
  expect(
    holds({ path, name: "a full disk is said by blobs and database, which go on once there is room" }),
  ).toBe(false);
});
