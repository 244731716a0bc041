import { headerSecrets } from "../lib/header-secrets.ts";
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

/** What must be shown nowhere, whatever speaks of it. */
export function secretsOf({ config, discordToken }: LoadedConfig): (string | undefined)[] {
  const { s3 } = config.files;
  return [
    discordToken,
    config.telemetry.metrics_token,
    s3?.access_key_id,
    s3?.secret_access_key,
    ...config.llm.hosts.flatMap(({ headers }) => headerSecrets(headers)),
  ];
}
