import { readValue } from "./document.ts";
import { type KeyPath, nearest, sectionKeys, takesText } from "./keys.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** A value that the environment gives to a key. */
export interface Override {
  path: KeyPath;
  /** The variable's name. */
  variable: string;
  value: unknown;
}

/** Variables that are read by name and are not keys. */
const OTHER_NAMES = ["WISBOT_CONFIG", "WISBOT_DATA_DIR"];

/** `["web", "port"]` → `WISBOT_WEB__PORT`. */
function variableFor([section, key]: readonly [string, string]): string {
  return `WISBOT_${section.toUpperCase()}__${key.toUpperCase()}`;
}

/** A variable that is set to nothing counts as not set: compose files pass those on. */
export function setIn(env: Env, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value.trim() === "" ? undefined : value;
}

/** Text as a key takes it: YAML, except where the key takes nothing but text. */
export function valueFor(path: KeyPath, text: string): unknown {
  return takesText(path) ? text.trim() : readValue(text);
}

/** The keys that the environment sets. `WISBOT_*` variables first, then $DISCORD_TOKEN where they say no token. */
export function overridesFrom(env: Env): Override[] {
  const overrides = sectionKeys().flatMap((path): Override[] => {
    const variable = variableFor(path);
    const text = setIn(env, variable);
    return text === undefined ? [] : [{ path, variable, value: valueFor(path, text) }];
  });
  const token = setIn(env, "DISCORD_TOKEN");
  const hasToken = overrides.some(({ path }) => path[0] === "discord" && String(path[1]).startsWith("token"));
  if (token === undefined || hasToken) return overrides;
  return [...overrides, { path: ["discord", "token"], variable: "DISCORD_TOKEN", value: token.trim() }];
}

/**
 * Variables that were meant for wisbot and name no key. Without the double underscore only a slip of two letters counts:
 * orchestrators set such as WISBOT_SERVICE_HOST by themselves.
 */
export function unknownVariables(env: Env): { variable: string; meant: string }[] {
  const known = [...OTHER_NAMES, ...sectionKeys().map(variableFor)];
  return Object.keys(env).flatMap((variable) => {
    if (!variable.startsWith("WISBOT_") || known.includes(variable)) return [];
    const ours = variable.includes("__");
    const meant = nearest(variable.toUpperCase(), known, ours ? undefined : 2);
    return ours || meant !== undefined ? [{ variable, meant: meant ?? "WISBOT_<SECTION>__<KEY>" }] : [];
  });
}
