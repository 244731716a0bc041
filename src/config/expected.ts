import { valueFor } from "./environment.ts";
import type { KeyPath } from "./keys.ts";
import { configSchema } from "./schema.ts";

function nested(path: KeyPath, value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, part) => (typeof part === "number" ? [inner] : { [part]: inner }),
    value,
  );
}

/** What the key at `path` expects when `text` is no value for it; undefined when it is one. */
export function expectedInstead(path: KeyPath, text: string): string | undefined {
  return configSchema.safeParse(nested(path, valueFor(path, text))).error?.issues[0]?.message;
}
