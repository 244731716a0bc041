import { safeName } from "./name.ts";

/**
 * Makes paths of files safe to unpack anywhere, in their order: relative, with `/`, each part as `safeName` makes it
 * (no `..`, no drive letters, never empty), and no two that a system which ignores case takes for one, nor a file
 * where another path needs a folder. Who comes second becomes "name (2).txt". Safe paths without a rival stay.
 */
export function zipPaths(paths: readonly string[]): string[] {
  const split = paths.map(safeParts);
  const taken = new Set(split.flatMap(foldersOf));
  const next = new Map<string, number>();
  return split.map((parts) => {
    const wanted = parts.join("/");
    let path = wanted;
    let number = next.get(folded(wanted)) ?? 2;
    while (taken.has(folded(path))) {
      path = numbered(parts, number);
      number += 1;
    }
    next.set(folded(wanted), number);
    taken.add(folded(path));
    return path;
  });
}

function safeParts(path: string): string[] {
  const parts = path.split(/[/\\]/).filter((part) => !/^\.{0,2}$/.test(part));
  return parts.length === 0 ? [safeName("")] : parts.map(safeName);
}

function foldersOf(parts: string[]): string[] {
  return parts.slice(1).map((_, index) => folded(parts.slice(0, index + 1).join("/")));
}

/** Equal for what Windows or macOS might take for one name, and for a little more. */
function folded(path: string): string {
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

function numbered(parts: string[], number: number): string {
  const name = parts.at(-1) ?? "";
  const dot = name.lastIndexOf(".");
  const end = dot > 0 ? dot : name.length;
  return [...parts.slice(0, -1), `${name.slice(0, end)} (${number})${name.slice(end)}`].join("/");
}
