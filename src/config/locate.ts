import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Env, setIn } from "./environment.ts";

/** Where the config file is, or would be written. Absolute. */
export interface Location {
  file: string;
  exists: boolean;
  /** By --config or $WISBOT_CONFIG: then it has to exist. */
  named: boolean;
}

export interface LocateInput {
  flags: { config?: string };
  env: Env;
  cwd: string;
}

// A file behind a folder that may not be entered counts as there: reading it then says why it can't be read.
function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code !== "ENOTDIR";
  }
}

/** The config file: `--config`, `$WISBOT_CONFIG`, or the first that exists of the usual places. */
export function locateConfig({ flags, env, cwd }: LocateInput): Location {
  const name = flags.config ?? setIn(env, "WISBOT_CONFIG");
  if (name !== undefined) {
    const file = resolve(cwd, name);
    return { file, exists: isThere(file), named: true };
  }
  const here = join(resolve(cwd), "config.yaml");
  const home = setIn(env, "HOME");
  const userFolder = setIn(env, "XDG_CONFIG_HOME") ?? (home && join(home, ".config"));
  const places = [here, userFolder && join(userFolder, "wisbot/config.yaml"), "/etc/wisbot/config.yaml"];
  const found = places.find((file) => file !== undefined && isThere(file));
  return { file: found ?? here, exists: found !== undefined, named: false };
}

/**
 * The folder of database and files: `--data-dir`, `$WISBOT_DATA_DIR`, config `data_dir`, `$STATE_DIRECTORY`, else
 * `data` beside the config file. Absolute.
 */
export function locateData(input: {
  flags: { dataDir?: string };
  env: Env;
  cwd: string;
  file: string;
  configured: string | undefined;
}): string {
  const outside = input.flags.dataDir ?? setIn(input.env, "WISBOT_DATA_DIR");
  if (outside !== undefined) return resolve(input.cwd, outside);
  if (input.configured !== undefined) return resolve(dirname(input.file), input.configured);
  // systemd.exec: several state directories are given with colons between them; the first is ours.
  const state = setIn(input.env, "STATE_DIRECTORY")?.split(":")[0];
  return state ? resolve(state) : join(dirname(input.file), "data");
}
