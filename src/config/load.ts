import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { WisError } from "../errors.ts";
import { readDocument, textsIn, valueAt } from "./document.ts";
import { type Draft, expand, fillOllama, override } from "./draft.ts";
import { type Env, setIn } from "./environment.ts";
import { reasonOf } from "./file-errors.ts";
import { dotted, isSecret, type KeyPath } from "./keys.ts";
import type { LoadedConfig } from "./loaded.ts";
import { type Location, locateConfig, locateData } from "./locate.ts";
import type { LogFormat, LogLevel } from "./log-options.ts";
import { fromIssues, invalidConfig, type Problem } from "./problems.ts";
import { type Config, configSchema } from "./schema.ts";
import { readCredential, readToken } from "./token.ts";

/** What the command line says about the configuration. It beats environment and file. */
export interface ConfigFlags {
  config?: string;
  dataDir?: string;
  logFormat?: LogFormat;
  logLevel?: LogLevel;
  host?: string;
  /** 0: any free port. */
  port?: number;
}

export interface LoadInput {
  flags: ConfigFlags;
  env: Env;
  cwd: string;
  /** A named file that is missing means defaults, not an error. */
  missingIsFine?: boolean;
  /** Only flags, environment and defaults count, whatever file there is. */
  withoutFile?: boolean;
}

async function readText(file: string): Promise<{ text: string; mode: number }> {
  try {
    const bytes = await readFile(file);
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), mode: (await stat(file)).mode };
  } catch (cause) {
    const reason = cause instanceof TypeError ? "it is not UTF-8 text" : reasonOf(cause);
    throw new WisError("config.invalid", {
      say: `${file} can't be read: ${reason}.`,
      hint: "Give the user that runs wisbot a readable file, or name another with --config",
      cause,
    });
  }
}

const OTHERS_CAN_READ = 0o004;

/** Secrets that stand in a file that every user of this machine can read. */
function exposedSecrets({ written, placeOf }: Draft, file: string, mode: number): Problem[] {
  if ((mode & OTHERS_CAN_READ) === 0) return [];
  const got = `one that others can read (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`;
  return textsIn(written)
    .filter(({ path, text }) => isSecret(path) && !/\$\{\w+\}/.test(text))
    .map(({ path }) => ({
      key: dotted(path),
      expected: "a file that only its owner can read",
      got,
      place: placeOf(path),
      fix: `Run: chmod 600 ${file}`,
    }));
}

async function readDraft({ file, exists }: Location): Promise<Draft> {
  if (!exists) return { written: {}, values: {}, problems: [], placeOf: () => ({ file, line: 1 }) };
  const { text, mode } = await readText(file);
  const { values, problems, lineOf } = readDocument(text, file);
  const draft = {
    written: values,
    values,
    problems,
    placeOf: (path: KeyPath) => ({ file, line: lineOf(path) }),
  };
  return { ...draft, problems: [...problems, ...exposedSecrets(draft, file, mode)] };
}

/** The bot token, or the problem that stands in its way. Relative paths are relative to where they were written. */
async function findToken(
  { values, placeOf }: Draft,
  { env, cwd, folder }: { env: Env; cwd: string; folder: string },
): Promise<{ token: string | undefined } | { problem: Problem }> {
  const token = valueAt(values, ["discord", "token"]);
  const tokenFile = valueAt(values, ["discord", "token_file"]);
  const key = "discord.token_file";
  const place = placeOf(["discord", "token_file"]);
  if (token !== undefined && tokenFile !== undefined) {
    return { problem: { key, expected: "nothing beside discord.token", got: "both", place } };
  }
  if (token !== undefined) return { token: String(token) };
  if (typeof tokenFile === "string") {
    const read = await readToken(resolve("variable" in place ? cwd : folder, tokenFile));
    return "token" in read
      ? read
      : { problem: { key, expected: "a file with the bot token", place, ...read } };
  }
  const credentials = setIn(env, "CREDENTIALS_DIRECTORY");
  const read = credentials === undefined ? undefined : await readCredential(credentials);
  if (read === undefined) return { token: undefined };
  const from = { variable: "CREDENTIALS_DIRECTORY" };
  return "token" in read
    ? read
    : { problem: { key: "discord.token", expected: "a bot token", place: from, ...read } };
}

function withFlags(config: Config, { logFormat, logLevel, host, port }: ConfigFlags): Config {
  const { web, log } = config;
  return {
    ...config,
    web: { ...web, host: host ?? web.host, port: port ?? web.port },
    log: { format: logFormat ?? log.format, level: logLevel ?? log.level },
  };
}

function publicUrl({ web }: Config): string {
  return (web.public_url ?? `http://localhost:${web.port}`).replace(/\/+$/, "");
}

/** What holds with no file, no environment and no flags. */
export function defaultConfig(cwd: string): LoadedConfig {
  const config = configSchema.parse({});
  const dataDir = join(cwd, "data");
  return { config, file: undefined, dataDir, publicUrl: publicUrl(config), discordToken: undefined };
}

/**
 * Reads the configuration: a flag beats the environment, the environment the file, the file the defaults. Opens and
 * changes nothing else. [config.missing for a named file that is not there; config.invalid with every problem at once]
 */
export async function loadConfig(input: LoadInput): Promise<LoadedConfig> {
  const { flags, env, cwd } = input;
  const found = locateConfig({ flags, env, cwd });
  const exists = found.exists && input.withoutFile !== true;
  const { file, named } = found;
  if (named && !found.exists && input.missingIsFine !== true) {
    throw new WisError("config.missing", {
      say: `There is no config file ${file}.`,
      hint: `Write one with: wisbot --config ${file} init`,
    });
  }
  const draft = fillOllama(override(expand(await readDraft({ ...found, exists }), env), env), env);
  const parsed = configSchema.safeParse(draft.values);
  const token = await findToken(draft, { env, cwd, folder: dirname(file) });
  const problems = [
    ...draft.problems,
    ...fromIssues(parsed.error?.issues ?? [], {
      valueAt: (path) => valueAt(draft.written, path),
      placeOf: draft.placeOf,
    }),
    ...("problem" in token ? [token.problem] : []),
  ];
  if (!parsed.success || "problem" in token || problems.length > 0) throw invalidConfig(problems, file);

  const config = withFlags(parsed.data, flags);
  return {
    config,
    file: exists ? file : undefined,
    dataDir: locateData({ flags, env, cwd, file, configured: config.data_dir }),
    publicUrl: publicUrl(config),
    discordToken: token.token,
  };
}
