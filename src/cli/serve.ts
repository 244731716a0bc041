import type { App } from "../app.ts";
import { type LoadInput, loadConfig } from "../config/load.ts";
import { type LoadedConfig, secretsOf } from "../config/loaded.ts";
import { locateConfig } from "../config/locate.ts";
import { writeConfig } from "../config/write.ts";
import { isWisError, type WisError } from "../errors.ts";
import { freePort } from "../lib/free-port.ts";
import { openTelemetry } from "../telemetry/open.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { version } from "../version.ts";
import { instanceOf } from "../web/instance.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { recordFatal } from "./fatal.ts";
import { note, print } from "./output.ts";

export interface ServeInput {
  globals: Globals;
  host?: string;
  /** 0: any free one. */
  port?: number;
  /** False: --no-discord. */
  discord: boolean;
}

/**
 * `wisbot serve`: bot, web and jobs until SIGTERM or SIGINT. Throws WisError config.*, data_dir.*, database.*,
 * port.in_use, and discord.token_refused or discord.intents_refused when Discord says so at the start.
 */
export async function serve(input: ServeInput): Promise<ExitCode> {
  using asked = onStopSignal();
  const { loaded, unwritten, source } = await firstStart(input);
  await using opened = new AsyncDisposableStack();
  const telemetry = await openTelemetry({
    config: loaded.config,
    version,
    instance: instanceOf(loaded.dataDir),
    secrets: secretsOf(loaded),
  });
  opened.defer(() => telemetry.shutdown());
  recordFatal((error, doing) => endRecorded(telemetry, error, doing));
  if (unwritten)
    telemetry.log.warn({}, `${unwritten.say} WisBot runs on its defaults. ${unwritten.hint ?? ""}`.trim());

  let app: App | undefined;
  using _reloading = onReload(async () => {
    try {
      app?.reload(await loadConfig(source));
      telemetry.log.info({}, "SIGHUP: the model servers are those of the configuration as it is now");
    } catch (error) {
      telemetry.record(error, "reading the configuration again");
    }
  });
  const { openApp } = await import("../app.ts");
  app = opened.use(await openApp({ loaded, telemetry, discord: input.discord }));
  print(`WisBot ${version} is ready at ${loaded.publicUrl} (listening on ${new URL(app.web.url).host})`);
  const signal = await Promise.race([asked.stop, app.refused]);
  telemetry.log.info(
    { signal },
    `${signal}: finishing what runs, for at most 10 s; a second ${signal} ends it at once`,
  );
  return exit.ok;
}

/** The configuration, which a first start writes. `unwritten`: why it could not. */
async function firstStart(
  input: ServeInput,
): Promise<{ loaded: LoadedConfig; unwritten: WisError | undefined; source: LoadInput }> {
  const { globals, host, port } = input;
  const flags = {
    ...globals,
    ...(host !== undefined && { host }),
    // Links name the port, so it has to be known before anything is opened.
    ...(port !== undefined && { port: port === 0 ? freePort(host) : port }),
  };
  const source = { flags, env: process.env, cwd: process.cwd(), missingIsFine: true };
  const place = locateConfig(source);
  const unwritten = place.exists ? undefined : await writeDefaults(place.file);
  return { loaded: await loadConfig(source), unwritten, source };
}

async function writeDefaults(file: string): Promise<WisError | undefined> {
  try {
    await writeConfig(file);
    return undefined;
  } catch (error) {
    if (isWisError(error, "config.unwritable")) return error;
    throw error;
  }
}

/** The parts of an end are shorter together: this is for a start that hangs. */
const LONGEST_END_MS = 9_800;

/**
 * Resolves `stop` at the first SIGTERM or SIGINT; the second ends the process there and then, and so does the time that
 * the first one grants.
 */
function onStopSignal(): Disposable & { stop: Promise<NodeJS.Signals> } {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let late: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (late) process.exit(exit.failed);
    late = setTimeout(endUnfinished, LONGEST_END_MS);
    resolve(signal);
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return {
    stop: promise,
    [Symbol.dispose]() {
      clearTimeout(late);
      process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
    },
  };
}

/** Runs `reload` at each SIGHUP, one after the other. */
function onReload(reload: () => Promise<void>): Disposable {
  let last = Promise.resolve();
  const onSignal = () => {
    last = last.then(reload);
  };
  process.on("SIGHUP", onSignal);
  return { [Symbol.dispose]: () => void process.off("SIGHUP", onSignal) };
}

function endUnfinished(): never {
  note("WisBot was asked to end and is not done yet: what it was doing is left to the next start.");
  process.exit(exit.ok);
}

async function endRecorded(telemetry: Telemetry, error: unknown, doing: string): Promise<void> {
  telemetry.record(error, `WisBot ended because of a defect (${doing})`);
  await telemetry.shutdown();
}
