import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";
import { Glob } from "bun";

// Imports go one way, from a higher layer to a lower one; parts on one line of `layers` don't know each other. Types count: a type that points upwards is a design that points upwards.

const root = join(import.meta.dir, "../..");

const layers = [
  ["main"],
  ["cli"],
  ["app"],
  ["discord", "web", "store", "hosts"],
  ["files", "llm"],
  ["members", "announce", "queue", "jobs", "doctor"],
  ["telemetry"],
  ["config"],
  ["version", "errors"],
  ["lib"],
];

const levelOf = new Map(layers.flatMap((parts, level) => parts.map((part) => [part, level] as const)));

/** The part a source file belongs to: its folder in src, or its own name at src's top. */
function partOf(path: string): string {
  const [top = "", part = ""] = path.split("/");
  if (top === "templates") return "templates";
  return part.replace(/\.tsx?$/, "");
}

interface Import {
  from: string;
  to: string;
}

async function imports(): Promise<Import[]> {
  const found: Import[] = [];
  for await (const from of new Glob("{src,templates}/**/*.{ts,tsx}").scan(root)) {
    if (from.includes(".test.") || from.startsWith("src/testing/")) continue;
    const source = await Bun.file(join(root, from)).text();
    for (const match of source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      found.push({ from, to: relative(root, join(root, dirname(from), match[1] ?? "")) });
    }
  }
  return found;
}

function allowed({ from, to }: Import): boolean {
  const [source, target] = [partOf(from), partOf(to)];
  if (source === target) return true;
  if (to === "package.json") return source === "version";
  // Templates take props and give HTML: they know formatting and nothing else of wisbot.
  if (source === "templates") return target === "lib";
  if (target === "templates" || to.startsWith("drizzle/")) return true;
  // The contract suites run in tests of the drivers; only tests may reach into testing/.
  if (target === "testing") return false;
  const [above, below] = [levelOf.get(source), levelOf.get(target)];
  return above !== undefined && below !== undefined && above < below;
}

test("imports go one way: main, cli, app, edges and drivers, rules, services, ground", async () => {
  const wrong = (await imports()).filter((one) => !allowed(one)).map(({ from, to }) => `${from} → ${to}`);
  expect(wrong).toEqual([]);
});

test("every file in src belongs to a layer", async () => {
  const parts = new Set((await imports()).map(({ from }) => partOf(from)));
  parts.delete("templates");
  expect([...parts].filter((part) => !levelOf.has(part))).toEqual([]);
});
