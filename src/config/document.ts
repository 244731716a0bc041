import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import type { KeyPath } from "./keys.ts";
import { type Problem, shown } from "./problems.ts";

/** A section or the whole file as plain values. */
export type Values = { [key: string]: unknown };

export function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A config file that was read: its values, what is wrong with its YAML, and the line of every key. */
export interface ConfigDocument {
  /** Without blank keys: `token:` means the default. Empty when the YAML can't be read. */
  values: Values;
  problems: Problem[];
  /** The line where `path` stands, or the nearest section around it. */
  lineOf(path: KeyPath): number;
}

// An id such as 123456789012345678 is beyond what a number holds exactly: keep its digits as they were written.
function keepLongIds(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== "number" || Number.isSafeInteger(node.value)) return;
      if (node.source !== undefined && /^\d+$/.test(node.source)) node.value = node.source;
    },
  });
}

function withoutBlanks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBlanks);
  if (!isValues(value)) return value;
  const filled = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(filled.map(([key, entry]) => [key, withoutBlanks(entry)]));
}

/** The values of a document without errors. Throws when an alias points nowhere or multiplies without end. */
function valuesOf(document: Document): unknown {
  keepLongIds(document);
  return withoutBlanks(document.toJS());
}

/** One value from the environment, read as YAML: `9000`, `true`, `[a, b]`. What is no YAML is text. */
export function readValue(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  if (document.errors.length > 0 || text.startsWith("*")) return text;
  return valuesOf(document) ?? text;
}

function linesOf(document: Document, counter: LineCounter): (path: KeyPath) => number {
  const lineAt = (offset: number | undefined, otherwise: number) =>
    offset === undefined ? otherwise : counter.linePos(offset).line;
  return (path) => {
    let node: unknown = document.contents;
    let line = 1;
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
        if (!pair || !isScalar(pair.key)) return line;
        line = lineAt(pair.key.range?.[0], line);
        node = pair.value;
      } else if (isSeq(node)) {
        node = typeof part === "number" ? node.items[part] : undefined;
        if (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node))
          line = lineAt(node.range?.[0], line);
      } else return line;
    }
    return line;
  };
}

// The library's messages may quote the line, and that line may hold a token: keep what it says, not what it quotes.
function withoutQuotes(message: string): string {
  return message.replace(/(: ).*/s, "").replace(/(escape sequence|alias|tag) \S+/i, "$1");
}

/** Reads the text of the config file `file`. Never throws: what is wrong comes back as problems. */
export function readDocument(text: string, file: string): ConfigDocument {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, logLevel: "silent" });
  const lineOf = linesOf(document, counter);
  const problem = (expected: string, got: string, line = 1) => ({
    key: "",
    expected,
    got,
    place: { file, line },
  });
  const lineAt = (offset: number) => counter.linePos(offset).line;
  const fromYaml = (message: string, line?: number) =>
    problem("YAML", `an error: ${withoutQuotes(message)}`, line);

  // What follows the first error of syntax is mostly its echo.
  const broken = document.errors.find(({ code }) => code !== "DUPLICATE_KEY") ?? document.warnings[0];
  if (broken) {
    return { values: {}, problems: [fromYaml(broken.message, lineAt(broken.pos[0]))], lineOf };
  }
  const twice = document.errors.map(({ pos }) =>
    problem("each key once", "a key a second time", lineAt(pos[0])),
  );
  try {
    const values = valuesOf(document) ?? {};
    if (isValues(values)) return { values, problems: twice, lineOf };
    const whole = problem("sections such as web: and files:", shown([], values));
    return { values: {}, problems: [...twice, whole], lineOf };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { values: {}, problems: [...twice, fromYaml(error.message)], lineOf };
  }
}

/** What stands at `path` in `values`; undefined when nothing does. */
export function valueAt(values: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((value, part) => {
    if (Array.isArray(value) && typeof part === "number") return value[part];
    return isValues(value) && Object.hasOwn(value, part) ? value[String(part)] : undefined;
  }, values);
}

/** Every text in `values` replaced by what `change` makes of it. */
export function mapText(
  values: unknown,
  change: (text: string, path: KeyPath) => unknown,
  path: KeyPath = [],
): unknown {
  if (typeof values === "string") return change(values, path);
  if (Array.isArray(values)) return values.map((item, index) => mapText(item, change, [...path, index]));
  if (!isValues(values)) return values;
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, mapText(value, change, [...path, key])]),
  );
}

/** Every text or number among the values, with where it stands. */
export function textsIn(values: unknown, path: KeyPath = []): { path: KeyPath; text: string }[] {
  if (typeof values === "string" || typeof values === "number") return [{ path, text: String(values) }];
  if (Array.isArray(values)) return values.flatMap((item, index) => textsIn(item, [...path, index]));
  if (!isValues(values)) return [];
  return Object.entries(values).flatMap(([key, value]) => textsIn(value, [...path, key]));
}
