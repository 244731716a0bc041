import { basename } from "node:path";
import type { z } from "zod";
import { WisError } from "../errors.ts";
import { dotted, isSecret, type KeyPath, meantInstead } from "./keys.ts";

/** Where a value was written. */
export type Place = { file: string; line: number } | { variable: string };

/** One thing that is wrong with the configuration. `key` is empty when it is about the whole file. */
export interface Problem {
  key: string;
  expected: string;
  got: string;
  place: Place;
  /** What mends it, when that is more than writing what is expected. */
  fix?: string;
}

const MAX_SHOWN = 60;

/** A password in an address, or what looks like a Discord bot token that was pasted into the wrong key. */
function masked(text: string): string {
  return text
    .replace(/\/\/[^/@\s]*@/g, "//…@")
    .replace(/[\w-]{20,}\.[\w-]{4,}\.[\w-]{20,}/g, "(looks like a token, not shown)");
}

/** What stands there, in a few words and without secrets. */
export function shown(path: KeyPath, value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "keys and values";
  if (isSecret(path)) return `a ${typeof value} that is not shown`;
  if (typeof value !== "string") return String(value);
  const text = masked(value);
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

/** The problems that the schema found, in our words. */
export function fromIssues(
  issues: z.core.$ZodIssue[],
  { valueAt, placeOf }: { valueAt: (path: KeyPath) => unknown; placeOf: (path: KeyPath) => Place },
): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    if (issue.code !== "unrecognized_keys") {
      const got = shown(path, valueAt(path));
      return [{ key: dotted(path), expected: issue.message, got, place: placeOf(path) }];
    }
    return issue.keys.map((name) => {
      const unknown = [...path, name];
      const expected = meantInstead(unknown);
      return { key: dotted(unknown), expected, got: "an unknown key", place: placeOf(unknown) };
    });
  });
}

function lineOf({ key, expected, got, place }: Problem): string {
  const where = "variable" in place ? `$${place.variable}` : `${basename(place.file)}:${place.line}`;
  return `${key === "" ? "" : `${key}: `}expected ${expected}, got ${got} (${where})`;
}

/** In the order of the file; of each key the first, since what follows from a problem already told only distracts. */
function inOrder(problems: Problem[]): Problem[] {
  const line = ({ place }: Problem) => ("line" in place ? place.line : Number.MAX_SAFE_INTEGER);
  return problems
    .filter(({ key }, index) => key === "" || problems.findIndex((other) => other.key === key) === index)
    .sort((a, b) => line(a) - line(b));
}

/** All problems in one error, each as `key: expected …, got … (config.yaml:12)`. */
export function invalidConfig(problems: Problem[], file: string): WisError {
  const ordered = inOrder(problems);
  const fixes = [...new Set(ordered.flatMap(({ fix }) => (fix === undefined ? [] : [fix])))];
  const many = ordered.length === 1 ? "a problem" : `${ordered.length} problems`;
  const where = ordered.every(({ place }) => "variable" in place) ? "the environment" : file;
  return new WisError("config.invalid", {
    say: `The configuration has ${many}:\n${ordered.map((one) => `  ${lineOf(one)}`).join("\n")}`,
    hint:
      fixes.length > 0 ? fixes.join("; ") : `Correct ${where}, then run: wisbot doctor --only config.valid`,
  });
}
