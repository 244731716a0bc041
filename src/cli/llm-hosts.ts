import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { toWisError, WisError } from "../errors.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { note, print, printJson, table } from "./output.ts";

/** What one host may take to answer. All are asked at once. */
const LIMIT_MS = 5_000;

type HostConfig = Config["llm"]["hosts"][number];

interface Asked {
  host: HostConfig;
  models: string[];
  loaded: string[];
  /** Why there is no answer. */
  error: WisError | undefined;
}

/** `llm hosts`: fails when one does not answer. */
export async function hosts({ globals, json }: { globals: Globals; json: boolean }): Promise<ExitCode> {
  const { config } = await loadConfig({ flags: globals, env: process.env, cwd: process.cwd() });
  const asked = await Promise.all(config.llm.hosts.map(ask));
  if (json) printJson(asked.map(asJson));
  else {
    print(table([["NAME", "KIND", "SLOTS", "ANSWERS", "LOADED", "MODELS"], ...asked.map(asCells)]));
    for (const { host, error } of asked) if (error) note(`${host.name}: ${error.say}`);
  }
  return asked.every(({ error }) => error === undefined) ? exit.ok : exit.failed;
}

async function ask(host: HostConfig): Promise<Asked> {
  const { createHost } = await import("../app.ts");
  const driver = createHost(host);
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const [models, loaded] = await Promise.all([driver.models(signal), driver.loaded(signal)]);
    return { host, models: models.map(nameOf), loaded: loaded.map(nameOf), error: undefined };
  } catch (cause) {
    return { host, models: [], loaded: [], error: signal.aborted ? silent(cause) : toWisError(cause) };
  }
}

const nameOf = ({ name }: { name: string }) => name;

function silent(cause: unknown): WisError {
  return new WisError("llm.unreachable", { say: `It did not answer within ${LIMIT_MS / 1000} s.`, cause });
}

function asJson({ host: { name, kind, slots }, models, loaded, error }: Asked) {
  const failure = error === undefined ? null : { code: error.code, say: error.say };
  return { name, kind, slots, answers: error === undefined, error: failure, loaded, models };
}

function asCells({ host: { name, kind, slots }, models, loaded, error }: Asked): string[] {
  const answers = error === undefined ? "yes" : "no";
  return [name, kind, String(slots), answers, loaded.join(", ") || "–", models.join(", ") || "–"];
}
