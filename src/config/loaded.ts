import type { Config } from "./schema.ts";

/** A config and where it came from. Paths are absolute. */
export interface LoadedConfig {
  config: Config;
  /** Undefined: no file, defaults. */
  file: string | undefined;
  dataDir: string;
  /** `public_url`, or the local address it stands for; without a trailing slash. */
  publicUrl: string;
  /** From config, file, environment or systemd credential; undefined: Discord is off. */
  discordToken: string | undefined;
}
