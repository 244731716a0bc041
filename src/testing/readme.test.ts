import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { scripts } from "../../package.json";
import { createProgram } from "../cli/program.ts";

const root = join(import.meta.dir, "../..");
const readme = await Bun.file(join(root, "README.md")).text();

/** Every line of its shell blocks, and every command in its text. */
const commands = [
  ...[...readme.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].flatMap(([, block = ""]) => block.split("\n")),
  ...[...readme.matchAll(/`((?:npm|bun|dist\/wisbot) [^`]+)`/g)].map(([, command = ""]) => command),
]
  .map((line) => line.trim().replace(/^(?:[A-Z_]+=\S+ )+/, ""))
  .filter((line) => line !== "");

/** Whether a command of the README is one: of package.json, of scripts/, or of the command line with its options. */
function exists(command: string): boolean {
  const [program = "", ...words] = command.split(" ");
  if (program === "npm" || (program === "bun" && words[0] === "run")) {
    return Object.keys(scripts).includes(words[0] === "run" ? (words[1] ?? "") : (words[0] ?? ""));
  }
  if (program === "bun") return existsSync(join(root, words[0] ?? ""));
  if (program !== "dist/wisbot") return false;
  let found = createProgram(() => undefined);
  for (const word of words) found = found.commands.find((child) => child.name() === word) ?? found;
  const known = [...found.options.map(({ long }) => long), "--help"];
  return (
    found.parent !== null &&
    words.filter((word) => word.startsWith("--")).every((word) => known.includes(word))
  );
}

test("the README names no command that there isn't", () => {
  expect(commands.length).toBeGreaterThan(10);
  expect(commands.filter((command) => !exists(command))).toEqual([]);
});

test("the README links to nothing that is missing", () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link);
  const here = links.filter((link) => !link.includes("://"));
  expect(here.filter((link) => !existsSync(join(root, link)))).toEqual([]);
});
