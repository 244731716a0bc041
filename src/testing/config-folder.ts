import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigFlags, loadConfig } from "../config/load.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { isWisError } from "../errors.ts";

/** What a refused configuration tells: its code, its hint, and each problem as a line. */
export interface Refusal {
  code: string;
  hint: string | undefined;
  lines: string[];
}

/** A folder to keep config files in, which is also the home folder of whoever loads them. */
export interface ConfigFolder extends Disposable {
  path: string;
  write(text: string, name?: string, mode?: number): string;
  load(env?: Record<string, string>, flags?: ConfigFlags): Promise<LoadedConfig>;
  /** Loads what has to be refused. */
  refusal(env?: Record<string, string>, flags?: ConfigFlags): Promise<Refusal>;
}

/** Makes the folder; disposing removes it. */
export function openConfigFolder(): ConfigFolder {
  const path = mkdtempSync(join(tmpdir(), "wisbot-config-"));
  const load: ConfigFolder["load"] = (env, flags = {}) =>
    loadConfig({ flags, env: { HOME: path, ...env }, cwd: path });
  return {
    path,
    load,
    write(text, name = "config.yaml", mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, text);
      chmodSync(file, mode);
      return file;
    },
    async refusal(env, flags) {
      const error = await load(env, flags).catch((caught: unknown) => caught);
      if (!isWisError(error)) throw new Error("expected the config to be refused", { cause: error });
      const lines = error.say.split("\n").slice(1);
      return { code: error.code, hint: error.hint, lines: lines.map((line) => line.trim()) };
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
