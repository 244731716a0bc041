import leven from "leven";
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** Where a value stands in the configuration: keys and list positions. */
export type KeyPath = readonly (string | number)[];

export type KeySchema = z.core.JSONSchema.BaseSchema;

/** What config.schema.json says, read here to know the keys and what kind of value each takes. */
export function inputSchema(): KeySchema {
  return z.toJSONSchema(configSchema, { io: "input" });
}

const root = inputSchema();

/** `["llm", "hosts", 0, "url"]` → `llm.hosts[0].url`. */
export function dotted(path: KeyPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** JSON schema also allows a bare boolean, and a list of schemas for items. */
export function isSchema(schema: KeySchema["items"]): schema is KeySchema {
  return typeof schema === "object" && !Array.isArray(schema);
}

function child(schema: KeySchema | undefined, part: string | number): KeySchema | undefined {
  const found =
    typeof part === "number"
      ? schema?.items
      : (Object.entries(schema?.properties ?? {}).find(([name]) => name === part)?.[1] ??
        schema?.additionalProperties);
  return isSchema(found) ? found : undefined;
}

function at(path: KeyPath): KeySchema | undefined {
  return path.reduce<KeySchema | undefined>(child, root);
}

/** Takes text and nothing else, so that `123` or `true` given to it stay text. */
export function takesText(path: KeyPath): boolean {
  return at(path)?.type === "string";
}

/** The default at `path` as one would write it in the file; empty when there is none. */
export function defaultText(path: KeyPath): string {
  return String(at(path)?.default ?? "");
}

/** Must never be shown. */
export function isSecret(path: KeyPath): boolean {
  return at(path)?.writeOnly === true;
}

/** The keys that may stand in the section at `path`. */
export function keysIn(path: KeyPath): string[] {
  return Object.keys(at(path)?.properties ?? {});
}

/** Every `[section, key]` of the configuration. */
export function sectionKeys(): [section: string, key: string][] {
  return keysIn([]).flatMap((section) => keysIn([section]).map((key): [string, string] => [section, key]));
}

const sameLetters = (a: string, b: string) => [...a].sort().join() === [...b].sort().join();

// Two letters swapped are the commonest slip of all, and count two for Levenshtein.
const distance = (a: string, b: string) => (sameLetters(a, b) ? 1 : leven(a, b));

/** The candidate that is written most like `word`, at most `limit` letters away; undefined when none is. */
export function nearest(
  word: string,
  candidates: readonly string[],
  limit = Math.max(2, Math.floor(word.length / 3)),
): string | undefined {
  return candidates
    .map((candidate) => ({ candidate, slips: distance(word, candidate) }))
    .filter(({ slips }) => slips <= limit)
    .sort((a, b) => a.slips - b.slips)[0]?.candidate;
}

/**
 * What the writer of an unknown key probably meant: a key of the same section that is written alike, or the same key
 * where it belongs, or all that could stand there.
 */
export function meantInstead(path: KeyPath): string {
  const section = path.slice(0, -1);
  const word = String(path.at(-1));
  const here = nearest(word.toLowerCase(), keysIn(section));
  if (here !== undefined) return dotted([...section, here]);
  const elsewhere = sectionKeys().find(([, key]) => key === word.toLowerCase());
  return elsewhere ? dotted(elsewhere) : `one of ${keysIn(section).join(", ")}`;
}
