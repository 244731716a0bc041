import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../lib/free-port.ts";
import type { DiscordStandIn } from "../discord/index.ts";
import { startServe } from "../serve.ts";

export interface WisbotOptions {
  discord: DiscordStandIn;
  /** The servers that run models, first the one that is asked first. */
  hosts: readonly { name: string; url: string }[];
  llm: { model: string; context?: number };
  /** Base address of the collector. */
  collector: string;
  /** Aborted, it ends a start. */
  asked: AbortSignal;
}

/** A real `wisbot serve` in a folder of its own. */
export interface RunningWisbot {
  /** Address of its web pages. */
  url: string;
  /** Resolves with the exit code when it ends. */
  exited: Promise<number>;
  /** Its log so far. */
  log(): string;
  stop(): Promise<void>;
}

const START_MS = 30_000;

/**
 * Starts `wisbot serve` from these sources and waits until it has registered its commands. Whatever it rejects with,
 * wisbot has ended by then.
 */
export async function startWisbot({
  discord,
  hosts,
  llm,
  collector,
  asked,
}: WisbotOptions): Promise<RunningWisbot> {
  asked.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), "wisbot-demo-"));
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = {
    data_dir: join(folder, "data"),
    discord: { api: discord.api, cdn: [discord.cdnHost] },
    llm: { ...llm, hosts: hosts.map(({ name, url }, index) => ({ name, url, priority: -index })) },
    web: { port, public_url: url },
    telemetry: { otlp_endpoint: collector },
  };
  const file = join(folder, "config.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  const serve = startServe({
    cwd: folder,
    globals: ["--config", file],
    // Spans are looked at while one waits for them.
    env: { DISCORD_TOKEN: discord.token, OTEL_BSP_SCHEDULE_DELAY: "200" },
  });

  async function stop(): Promise<void> {
    await serve.kill("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const registered = discord.registered("wis", { timeout: START_MS }).then(() => undefined);
    const code = await Promise.race([registered, serve.exited, aborted(asked)]);
    if (code !== undefined) throw new Error(`wisbot serve ended with code ${code}:\n${serve.log()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, exited: serve.exited, log: serve.log, stop };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
