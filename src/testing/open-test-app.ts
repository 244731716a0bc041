import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "../config/schema.ts";
import { freePort } from "../lib/free-port.ts";
import { type Ran, runWisbot } from "./command-line.ts";
import { type DiscordOptions, type DiscordStandIn, startDiscord } from "./discord/index.ts";
import { type OllamaOptions, type OllamaStandIn, startOllama } from "./ollama.ts";
import { type OtlpStandIn, startOtlp } from "./otlp.ts";
import { type Serve, startServe } from "./serve.ts";

export interface TestAppOptions {
  discord?: DiscordOptions;
  ollama?: OllamaOptions;
  /** Sections of config.yaml, beside what points it at the stand-ins. */
  config?: ConfigInput;
}

/**
 * The world of one wisbot: a folder with its config.yaml, and stand-ins for Discord, Ollama and the collector. `serve`
 * is a process of its own, to be started, killed and started again. Disposing throws what it did against Discord's rules.
 */
export interface TestApp extends AsyncDisposable {
  folder: string;
  /** Where its web is. */
  url: string;
  discord: DiscordStandIn;
  ollama: OllamaStandIn;
  otlp: OtlpStandIn;
  /** Starts `serve`; waits until the web answers and, with Discord, the bot is connected. */
  start(...args: string[]): Promise<Serve>;
  /** Runs another command beside it. */
  run(...args: string[]): Promise<Ran>;
  /** A fresh upload link. */
  link(ownerId?: string): Promise<string>;
  /** Names of the files below the blob folder, without its subfolders. */
  blobs(): Promise<string[]>;
}

export async function openTestApp({ config, ...options }: TestAppOptions = {}): Promise<TestApp> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "wisbot-app-"));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const discord = opening.use(await startDiscord(options.discord));
  const ollama = opening.use(await startOllama(options.ollama));
  const otlp = opening.use(await startOtlp());
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings: ConfigInput = {
    ...config,
    discord: { api: discord.api, cdn: [discord.cdnHost], ...config?.discord },
    llm: { hosts: [{ url: ollama.url }], ...config?.llm },
    web: { port, public_url: url, ...config?.web },
    telemetry: { otlp_endpoint: otlp.url, ...config?.telemetry },
    log: { format: "json", ...config?.log },
  };
  // JSON is YAML.
  await writeFile(join(folder, "config.yaml"), JSON.stringify(settings), { mode: 0o600 });
  const env = { DISCORD_TOKEN: discord.token, OTEL_BSP_SCHEDULE_DELAY: "50" };

  const running = new Set<Serve>();
  opening.defer(async () => {
    await Promise.all([...running].map((serve) => serve.kill("SIGKILL")));
  });
  const opened = opening.move();

  async function start(...args: string[]): Promise<Serve> {
    const serve = startServe({ cwd: folder, args, env });
    running.add(serve);
    await serve.ready();
    if (args.includes("--no-discord")) return serve;
    await serve.says("Discord: connected");
    await discord.registered("wis");
    return serve;
  }

  const run = (...args: string[]) => runWisbot(args, { cwd: folder, env });
  return {
    folder,
    url,
    discord,
    ollama,
    otlp,
    start,
    run,
    async link(ownerId = "111111111111111111") {
      const { stdout } = await run("files", "link", "--owner", ownerId, "--json");
      return JSON.parse(stdout).url;
    },
    async blobs() {
      const entries = await readdir(join(folder, "data/files"), { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
