import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Env, setIn } from "./environment.ts";
import { reasonOf } from "./file-errors.ts";

/** What a name stands for, or why it stands for nothing. */
export type Found = { value: string } | { got: string };

/**
 * What `${NAME}` stands for: the variable; else what is in the file that `NAME_FILE` names, as containers hand secrets
 * in; else what systemd's `LoadCredential=NAME:…` left in $CREDENTIALS_DIRECTORY.
 */
export function lookUp(env: Env, name: string): Found {
  const value = env[name];
  if (value !== undefined) return { value };
  const file = setIn(env, `${name}_FILE`);
  if (file !== undefined) return readSecret(file);
  const folder = setIn(env, "CREDENTIALS_DIRECTORY");
  const credential = folder === undefined ? undefined : readSecret(join(folder, name));
  return credential && "value" in credential ? credential : { got: "no such variable" };
}

/** Without the line end that editors and `echo` put there. */
function readSecret(file: string): Found {
  try {
    return { value: readFileSync(file, "utf8").replace(/\r?\n$/, "") };
  } catch (error) {
    return { got: `${file}: ${reasonOf(error)}` };
  }
}
