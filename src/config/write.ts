import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isNode, parseDocument, stringify } from "yaml";
import templateText from "../../templates/config.yaml" with { type: "text" };
import { WisError } from "../errors.ts";
import { reasonOf } from "./file-errors.ts";
import { inputSchema, isSchema, type KeyPath, type KeySchema } from "./keys.ts";

// bun-types calls the import of a .yaml file `any`.
const template: string = templateText;

/** A value that differs from the template's. */
export interface Setting {
  path: KeyPath;
  value: string | number | string[];
}

// The comments stand in one column; a longer value pushes its own to the right.
function replaceValue(text: string, from: number, to: number, value: string): string {
  // A blank value is found in front of its comment: its place is right behind the colon.
  const before = text.slice(0, from).trimEnd();
  const after = text.slice(to).trimStart();
  if (!after.startsWith("#")) return `${before} ${value}${text.slice(to)}`;
  const left = text.length - after.length - before.length - value.length - 1;
  return `${before} ${value}${" ".repeat(Math.max(1, left))}${after}`;
}

/** The text of a config.yaml with all keys, defaults and comments, and `settings` in their places. */
export function renderConfig(settings: Setting[] = []): string {
  return settings.reduce((text, { path, value }) => {
    const node = parseDocument(text).getIn(path, true);
    if (!isNode(node) || !node.range) throw new Error(`the config template has no ${path.join(".")}`);
    const [from, to] = node.range;
    const written = stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false });
    return replaceValue(text, from, to, written.replace(/\n$/, ""));
  }, template);
}

type Properties = NonNullable<KeySchema["properties"]>;

// In the file a blank value means the default and ${NAME} may stand for any value: editors are told so.
const blank: KeySchema = { type: "null" };
const reference: KeySchema = { type: "string", pattern: "^\\$\\{\\w+\\}$" };

function inFile(schema: KeySchema): KeySchema {
  const { properties, items } = schema;
  const entries = Object.entries(properties ?? {});
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(entries.map(([key, one]) => [key, orBlank(one)])) }),
    ...(isSchema(items) && { items: inFile(items) }),
  };
}

function orBlank(schema: Properties[string]): Properties[string] {
  if (typeof schema === "boolean") return schema;
  const { description, ...kind } = inFile(schema);
  return {
    ...(description && { description }),
    anyOf: [kind, blank, ...(kind.properties ? [] : [reference])],
  };
}

/** The text of config.schema.json: what editors complete and check config.yaml with. */
export function renderSchema(): string {
  return `${JSON.stringify(inFile(inputSchema()), null, 2)}\n`;
}

/** Writes whole or not at all: a crash leaves the old file or the new one. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes config.yaml (mode 0600) and config.schema.json beside it, both whole or not at all. Folders that are missing
 * are made. [config.exists without `overwrite`; config.unwritable]
 */
export async function writeConfig(
  file: string,
  { settings, overwrite }: { settings?: Setting[]; overwrite?: boolean } = {},
): Promise<void> {
  if (overwrite !== true && existsSync(file)) {
    throw new WisError("config.exists", {
      say: `${file} exists already; it was left as it is.`,
      hint: "Edit it, or write a new one over it with: wisbot init --force",
    });
  }
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeWhole(join(dirname(file), "config.schema.json"), renderSchema(), 0o644);
    await writeWhole(file, renderConfig(settings), 0o600);
  } catch (cause) {
    throw new WisError("config.unwritable", {
      say: `${file} can't be written: ${reasonOf(cause)}.`,
      hint: `Make ${dirname(file)} writable for the user that runs wisbot, or name another file with --config.`,
      cause,
    });
  }
}
