import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiscordStandIn } from "../discord/index.ts";

export interface WisbotOptions {
  discord: DiscordStandIn;
  /** Address of the server that runs models. */
  ollama: string;
  model: string;
  /** Base address of the collector. */
  collector: string;
}

/** A real `wisbot serve` in a folder of its own. */
export interface RunningWisbot {
  /** Address of its web pages. */
  url: string;
  /** Resolves with the exit code when it ends. */
  exited: Promise<number>;
  /** Its log so far, the last lines only. */
  log(): string;
  stop(): Promise<void>;
}

const root = join(import.meta.dir, "../../..");
const LOG_LINES = 200;
const START_MS = 30_000;

/** Starts `wisbot serve` from these sources and waits until it has registered its commands. */
export async function startWisbot({
  discord,
  ollama,
  model,
  collector,
}: WisbotOptions): Promise<RunningWisbot> {
  const folder = await mkdtemp(join(tmpdir(), "wisbot-demo-"));
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = {
    data_dir: join(folder, "data"),
    discord: { api: discord.api, cdn: [discord.cdnHost] },
    llm: { hosts: [{ url: ollama }], model },
    web: { port, public_url: url },
    telemetry: { otlp_endpoint: collector },
  };
  const file = join(folder, "config.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config, undefined, 2));
  await chmod(file, 0o600);
  const child = Bun.spawn([process.execPath, join(root, "src/main.ts"), "--config", file, "serve"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      DISCORD_TOKEN: discord.token,
      // Spans are looked at while one waits for them.
      OTEL_BSP_SCHEDULE_DELAY: "200",
    },
    // Ctrl-C is for whoever started it: that one ends wisbot in its own order.
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const lines: string[] = [];
  const collected = Promise.all([collect(child.stdout, lines), collect(child.stderr, lines)]);
  const log = () => lines.join("\n");

  const kill = () => child.kill();
  process.once("exit", kill);

  async function stop(): Promise<void> {
    process.off("exit", kill);
    child.kill("SIGTERM");
    await child.exited;
    await collected;
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const registered = discord.registered("wis", { timeout: START_MS }).then(() => undefined);
    const code = await Promise.race([registered, child.exited]);
    if (code !== undefined) throw new Error(`wisbot serve ended with code ${code}:\n${log()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, exited: child.exited, log, stop };
}

async function collect(stream: ReadableStream<Uint8Array>, lines: string[]): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    lines.push(...decoder.decode(chunk, { stream: true }).split("\n").filter(Boolean));
    lines.splice(0, Math.max(0, lines.length - LOG_LINES));
  }
}

/** A port that was free a moment ago: public_url has to name it before wisbot opens it. */
function freePort(): number {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = server;
  server.stop(true);
  return port;
}
