import { type DiscordStandIn, startDiscord } from "../discord/index.ts";
import { startOtlp } from "../otlp.ts";
import { answerTokens } from "./answer.ts";
import { type DemoHosts, realHost, startHosts } from "./hosts.ts";
import { people, servers } from "./places.ts";
import { createSite } from "./site.tsx";
import { startWisbot } from "./wisbot.ts";

export interface DemoOptions {
  /** Where the page should be; a free port when that one is taken. Default 8090. */
  port?: number;
  /** Address of a real Ollama. Default: a stand-in. */
  ollama?: string;
  /** Words of the stand-in a second. Default 14. */
  tokensPerSecond?: number;
  /** Aborted while it starts, it ends what has started and rejects with the reason. */
  asked?: AbortSignal;
}

/** Everything that the demo runs. */
export interface Demo extends AsyncDisposable {
  /** Address of its page. */
  url: string;
  discord: DiscordStandIn;
  /** Resolves with wisbot's exit code when that ends. */
  exited: Promise<number>;
  /** wisbot's log so far. */
  log(): string;
  /** Ends it all. Throws what wisbot did against Discord's rules. */
  stop(): Promise<void>;
}

const MODEL = "llama3.2";
const HOSTS = ["first", "second"];
/** Tokens: so few that a talk of some long answers drops its beginning. */
const CONTEXT = 2_048;
const CAPABILITIES = ["completion", "tools", "vision", "thinking"];

/** Starts the stand-ins, a real `wisbot serve` against them, and the page. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { port = 8090, tokensPerSecond = 14, asked = new AbortController().signal } = options;
  await using opened = new AsyncDisposableStack();
  const stopping = new AbortController();
  const discord = opened.use(await startDiscord({ limits: "discord", openapi: "", people, guilds: servers }));
  const otlp = opened.use(await startOtlp());
  const { hosts, llm } = await (options.ollama ? realModel(options.ollama) : standIns(tokensPerSecond));
  opened.use(hosts);
  const wisbot = await startWisbot({ discord, hosts: hosts.list(), llm, collector: otlp.url, asked });
  opened.defer(() => wisbot.stop());
  const answeredBy = options.ollama
    ? `Questions are answered by ${llm.model} at ${options.ollama}.`
    : "Questions are answered by a stand-in with ready-made words, not by a model.";
  const site = await createSite({
    ...{ discord, otlp, hosts, answeredBy },
    web: wisbot.url,
    stopped: stopping.signal,
  });
  const server = serve(port, site.fetch);
  opened.defer(async () => {
    stopping.abort();
    await server.stop(true);
  });
  asked.throwIfAborted();
  const rest = opened.move();
  const stop = () => rest.disposeAsync();
  return {
    url: `http://127.0.0.1:${server.port}/`,
    discord,
    exited: wisbot.exited,
    log: wisbot.log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Answering {
  hosts: DemoHosts;
  /** As wisbot's configuration has it. */
  llm: { model: string; context?: number };
}

async function standIns(tokensPerSecond: number): Promise<Answering> {
  const model = { models: [MODEL], describe: { capabilities: CAPABILITIES } };
  const hosts = await startHosts(HOSTS, { ...model, answer: answerTokens, tokensPerSecond });
  return { hosts, llm: { model: MODEL, context: CONTEXT } };
}

async function realModel(url: string): Promise<Answering> {
  return { hosts: realHost(url), llm: { model: await firstModel(url) } };
}

function serve(port: number, fetch: (request: Request) => Response | Promise<Response>) {
  const open = (port: number) => Bun.serve({ hostname: "127.0.0.1", port, idleTimeout: 0, fetch });
  try {
    return open(port);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return open(0);
    throw error;
  }
}

/** The model that a real Ollama has pulled last. Throws when it has none. */
async function firstModel(url: string): Promise<string> {
  const response = await fetch(new URL("/api/tags", url));
  const { models } = (await response.json()) as { models: { name: string }[] };
  const [first] = models;
  if (!first) throw new Error(`The Ollama at ${url} has no model. Run: ollama pull ${MODEL}`);
  return first.name;
}
