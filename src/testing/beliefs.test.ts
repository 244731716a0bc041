import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const beliefs = readFileSync(join(root, "docs/beliefs.md"), "utf8").split(/^## /m).slice(1);

/** `path`, and the name of a test in it where one is named. */
function proofsOf(belief: string): { path: string; name: string | undefined }[] {
  return [...belief.matchAll(/`((?:src|scripts)\/[^`]+)`(?: › "([^"]+)")?/g)].map(([, path = "", name]) => ({
    path,
    name,
  }));
}

function exists({ path, name }: ReturnType<typeof proofsOf>[number]): boolean {
  const file = join(root, path);
  if (!existsSync(file)) return false;
  return name === undefined || readFileSync(file, "utf8").includes(`("${name}"`);
}

test.each(beliefs.map((belief) => [belief.split("\n")[0] ?? "", belief]))(
  "%s has a proof that exists",
  (_, belief) => {
    const proofs = proofsOf(belief);
    expect(proofs.length).toBeGreaterThan(0);
    expect(proofs.filter((proof) => !exists(proof))).toEqual([]);
  },
);

test("all fifteen core beliefs are there", () => {
  expect(beliefs).toHaveLength(15);
});
