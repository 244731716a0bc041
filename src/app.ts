import { createOutbox, type Outbox } from "./announce/outbox.ts";
import { asServed } from "./app/beside.ts";
import { type Data, type Ground, openData } from "./app/data.ts";
import { closeApp, drain } from "./app/drain.ts";
import { openLlm } from "./app/llm.ts";
import type { LoadedConfig } from "./config/loaded.ts";
import type { Config } from "./config/schema.ts";
import type { Bot } from "./discord/bot.ts";
import { discordChecks } from "./discord/checks.ts";
import type { BotState } from "./discord/ports.ts";
import { createParts } from "./doctor/parts.ts";
import type { Check } from "./doctor/ports.ts";
import { runChecks } from "./doctor/run.ts";
import { WisError } from "./errors.ts";
import { cleanUp, cleanUpJob } from "./files/clean-up.ts";
import type { FileDesk } from "./files/desk.ts";
import { migrateBlobs } from "./files/migrate.ts";
import { remindJob } from "./files/remind.ts";
import { scrubJob } from "./files/scrub.ts";
import { verifyFiles } from "./files/verify.ts";
import { gpuChecks, hostChecks } from "./hosts/checks.ts";
import { createOllamaHost } from "./hosts/ollama.ts";
import { createOpenAiHost } from "./hosts/openai.ts";
import { runJobs } from "./jobs/scheduler.ts";
import { systemNow as now } from "./lib/clock.ts";
import type { Llm } from "./llm/llm.ts";
import type { Pool, PoolHost } from "./llm/pool.ts";
import type { ModelHost } from "./llm/ports.ts";
import { createAdmins } from "./members/admins.ts";
import { limitsFrom } from "./members/limits.ts";
import { noteAddress } from "./store/address.ts";
import { storeChecks } from "./store/checks.ts";
import { lockDataDir, lockMigration } from "./store/lock.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import type { Telemetry } from "./telemetry/ports.ts";
import { untraced } from "./telemetry/untraced.ts";
import { version } from "./version.ts";
import { webChecks } from "./web/checks.ts";
import { instanceOf } from "./web/instance.ts";
import { assertCanListen, startWeb, type WebServer } from "./web/serve.ts";

export { openMemory } from "./app/llm.ts";
export { describeBot } from "./discord/describe.ts";

// The composition root: nothing but this and what lies in app/ knows which drivers there are. Whoever opens something here puts it on
// the stack that closes it, so that everything is closed in reverse, also when opening fails halfway.

const hostDrivers = { ollama: createOllamaHost, openai: createOpenAiHost };

/** A model server as config.yaml describes it. */
export function createHost(
  { kind, name, url, headers, context }: Config["llm"]["hosts"][number],
  telemetry: Pick<Telemetry, "span"> = untraced,
): ModelHost {
  return hostDrivers[kind]({ name, url, headers, context, telemetry });
}

/** The model servers, each with what the configuration says of it. */
function hostsOf({ llm }: Config, telemetry: Telemetry): PoolHost[] {
  return llm.hosts.map((settings) => ({ ...settings, host: createHost(settings, telemetry) }));
}

/** Everything that doctor asks about a valid configuration. */
export function checksFor(loaded: LoadedConfig): Check[] {
  const { config, discordToken } = loaded;
  const llm = { hosts: config.llm.hosts.map((host) => createHost(host)), model: config.llm.model };
  return [
    ...storeChecks(loaded),
    ...webChecks(loaded),
    ...discordChecks({
      api: config.discord.api,
      token: discordToken,
      messageContent: config.discord.message_content,
    }),
    ...hostChecks(llm),
    ...gpuChecks(llm),
  ];
}

/**
 * The file desk for one command, also while `serve` runs. Throws WisError data_dir.*, database.*, disk.*.
 */
export async function openDesk(loaded: LoadedConfig, telemetry: Telemetry): Promise<FileDesk> {
  await using opening = new AsyncDisposableStack();
  const lock = lockDataDir(loaded.dataDir);
  if (lock) opening.use(lock);
  const ground = { loaded: asServed(loaded, lock), telemetry, metrics: createMetrics(telemetry.meter) };
  // Nobody is told of what the command line does, so there is no outbox to wake.
  const role = { locked: lock !== undefined, wake() {} };
  const { files, cleanUpDeps, careDeps } = await openData(ground, role, opening);
  const opened = opening.move();
  return {
    files,
    verify: (input) => verifyFiles(careDeps, input),
    cleanUp: (signal) => cleanUp(cleanUpDeps, signal),
    async migrate(input) {
      using _alone = lockMigration(loaded.dataDir) ?? refuseSecondMigration();
      return await migrateBlobs(careDeps, input);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function refuseSecondMigration(): never {
  throw new WisError("data_dir.locked", {
    say: "Another wisbot files migrate is at work.",
    hint: "Wait for its end, or interrupt it and run this one again.",
  });
}

export interface AppOptions {
  loaded: LoadedConfig;
  telemetry: Telemetry;
  /** False leaves Discord off, whatever the configuration says. */
  discord: boolean;
}

/** A running wisbot. Disposing it lets what runs come to its end, for at most 10 s, and closes everything. */
export interface App extends AsyncDisposable {
  /** Goes on with the model servers of another configuration; what runs on one that is gone comes to its end there. */
  reload(loaded: LoadedConfig): void;
  web: Pick<WebServer, "url" | "port">;
  /** Rejects with WisError discord.token_refused or discord.intents_refused when Discord says so at the start. */
  refused: Promise<never>;
}

/**
 * Opens bot, web and jobs. Resolves when the web answers; Discord and Ollama join when they can.
 * Throws WisError data_dir.*, database.*, disk.*, port.in_use.
 */
export async function openApp(options: AppOptions): Promise<App> {
  const { loaded, telemetry } = options;
  const ground = { loaded, telemetry, metrics: createMetrics(telemetry.meter) };
  await using opening = new AsyncDisposableStack();
  opening.use(await lockOrRefuse(loaded.dataDir));
  // A database upgraded for a start that then fails on its port could not be given back to the version before.
  assertCanListen(loaded.config.web);

  let discord: DiscordSide | undefined;
  const role: Parameters<typeof openData>[1] = {
    locked: true,
    wake: () => discord?.outbox.wake(),
    onProgress: (upload, received) => discord?.bot.onProgress(upload, received),
  };
  const data = await openData(ground, role, opening);
  const hosts = hostsOf(loaded.config, telemetry);
  const stopping = new AbortController();
  const closing = new AbortController();
  const { llm, pool, setHosts } = await openLlm(ground, {
    store: data.store,
    hosts,
    closing: stopping.signal,
  });
  const botBefore = beforeBot(options);
  const web = await openWeb(ground, { data, pool, llm, bot: () => discord?.bot.state() ?? botBefore });
  opening.use(noteAddress(loaded.dataDir, loaded.publicUrl));
  const background = startBackground(ground, { data, pool, signal: stopping.signal });
  opening.defer(() => drain({ web, bot: discord?.bot, llm, background, stopping, closing, telemetry }));

  const refusal = Promise.withResolvers<never>();
  const token = botToken(options);
  if (token !== undefined) {
    discord = await openDiscord(ground, { data, llm, token, closing: closing.signal });
    background.push(discord.outbox.run(stopping.signal));
    discord.bot.start().catch(refusal.reject);
  }
  opening.use(tidyAfterStart());
  const opened = opening.move();
  const reload = ({ config }: LoadedConfig) => setHosts(hostsOf(config, telemetry));
  return { web, reload, refused: refusal.promise, [Symbol.asyncDispose]: () => closeApp(opened, telemetry) };
}

/** By then the bot is connected, and everything that runs only at a start has run. */
const STARTED_MS = 3_000;

/** Gives back what the start took and nobody needs any more: 9 of 105 MB, measured with the bot connected. */
function tidyAfterStart(): Disposable {
  const timer = setTimeout(() => {
    Bun.shrink();
    Bun.gc(true);
  }, STARTED_MS);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** A `files list` of somebody's has the lock for a moment too, and must not keep a service from starting. */
const LOCK_PATIENCE_MS = 2_000;

async function lockOrRefuse(dataDir: string): Promise<Disposable> {
  const deadline = now() + LOCK_PATIENCE_MS;
  for (;;) {
    const lock = lockDataDir(dataDir);
    if (lock) return lock;
    if (now() >= deadline) break;
    await Bun.sleep(100);
  }
  throw new WisError("data_dir.locked", {
    say: `Another WisBot has the data dir ${dataDir}: one that serves, or a files command at work.`,
    hint: "Stop it or wait for its end, or give this one another folder with --data-dir.",
  });
}

function openWeb(
  { loaded: { config, publicUrl, dataDir }, telemetry, metrics }: Ground,
  { data, pool, llm, bot }: { data: Data; pool: Pool; llm: Llm; bot: () => BotState },
): Promise<WebServer> {
  const parts = createParts({
    database: data.store,
    disk: data.stores.at("disk"),
    minFreeDisk: config.files.min_free_disk,
    discord: bot,
    llm: pool,
    collector: telemetry.exportState,
    now,
  });
  const { files } = data;
  const admins = createAdmins({ keys: data.store.adminKeys, now });
  const instance = instanceOf(dataDir);
  const listen = config.web;
  return startWeb({
    config,
    publicUrl,
    files,
    admins,
    llm,
    telemetry,
    metrics,
    parts,
    bot,
    version,
    instance,
    now,
    listen,
  });
}

function startBackground(
  { loaded: { config }, telemetry, metrics }: Ground,
  { data, pool, signal }: { data: Data; pool: Pool; signal: AbortSignal },
): Promise<void>[] {
  const every = config.jobs.cleanup_every;
  const jobs = [
    cleanUpJob({ ...data.cleanUpDeps, every }),
    remindJob({ ...data.cleanUpDeps, lead: config.files.remind_before, cleanUpEvery: every }),
    scrubJob(data.careDeps),
  ];
  return [
    pool.run(signal),
    runJobs(jobs, { telemetry, metrics: metrics.jobs, signal }),
    warnAboutHosts({ hosts: pool.hosts(), model: config.llm.model, telemetry, signal }),
  ];
}

interface DiscordSide {
  bot: Bot;
  outbox: Outbox;
}

async function openDiscord(
  { loaded: { config, publicUrl }, telemetry, metrics }: Ground,
  input: { data: Data; llm: Llm; token: string; closing: AbortSignal },
): Promise<DiscordSide> {
  const { files, store } = input.data;
  // discord.js takes longer to load than all the rest together: by now the web answers.
  const { createBot } = await import("./discord/bot.ts");
  const limits = limitsFrom(config);
  const onReady = () => outbox.wake();
  const { llm, token, closing } = input;
  const bot = createBot({
    config,
    publicUrl,
    token,
    files,
    llm,
    limits,
    telemetry,
    metrics,
    closing,
    now,
    onReady,
  });
  const { announcements } = store;
  const { messenger } = bot;
  const outbox = createOutbox({ announcements, messenger, telemetry, metrics: metrics.outbox, now });
  return { bot, outbox };
}

/** The token to connect with; undefined leaves Discord off, and says how to turn it on if that was not asked for. */
function botToken({ loaded: { discordToken, file }, telemetry, discord }: AppOptions): string | undefined {
  if (!discord) return undefined;
  if (discordToken !== undefined) return discordToken;
  const place = file === undefined ? "$DISCORD_TOKEN" : `discord.token in ${file}, or into $DISCORD_TOKEN,`;
  telemetry.log.warn({}, `Discord is off: put a bot token into ${place} and restart. wisbot init helps.`);
  return undefined;
}

/** How the bot stands while there is none. */
function beforeBot({ loaded, discord }: AppOptions): BotState {
  const inviteUrl = undefined;
  if (!discord) return { state: "off", detail: "Started with --no-discord.", inviteUrl };
  if (loaded.discordToken === undefined) return { state: "off", detail: "No bot token is set.", inviteUrl };
  return { state: "connecting", detail: "Connecting to Discord.", inviteUrl };
}

/** Says once at the start, with what mends it, which model server is away or lacks the model. */
async function warnAboutHosts(
  input: Parameters<typeof hostChecks>[0] & { telemetry: Telemetry; signal: AbortSignal },
): Promise<void> {
  const { telemetry, signal } = input;
  try {
    for (const { severity, code, detail, fix } of await runChecks(hostChecks(input), { signal })) {
      if (severity === "fail" || severity === "crash")
        telemetry.log.warn({ code }, `${detail} ${fix ?? ""}`.trim());
    }
  } catch (error) {
    if (!signal.aborted) telemetry.record(error, "asking the model servers at the start");
  }
}
