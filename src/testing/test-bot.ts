import { configSchema } from "../config/schema.ts";
import { type Bot, createBot } from "../discord/bot.ts";
import type { Timers } from "../discord/timers.ts";
import { limitsFrom } from "../members/limits.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { openTelemetry } from "../telemetry/open.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import {
  type DiscordOptions,
  type DiscordStandIn,
  type RequestRecord,
  startDiscord,
} from "./discord/index.ts";
import { createScriptedLlm, type ScriptedLlm } from "./scripted-llm.ts";
import { createShelf, type Shelf } from "./shelf.ts";

/**
 * The real bot on real discord.js, between a Discord stand-in and scripted rules. Disposing it throws when anything was
 * sent against Discord's rules, or without saying that nobody is to be notified.
 */
export interface TestBot extends AsyncDisposable {
  bot: Bot;
  discord: DiscordStandIn;
  llm: ScriptedLlm;
  shelf: Shelf;
  telemetry: Telemetry;
  /** Log lines so far, parsed. */
  log: { level: string; msg: string; trace_id?: string }[];
  /** Resolves when the bot is connected for the n-th time and has seen to what waited for that. */
  connected(count: number): Promise<void>;
  /** What cuts attachments when wisbot ends. */
  closing: AbortController;
  /** The clock of both sides; it also moves by itself. */
  now(): number;
  /** Moves both sides' clock on. */
  later(ms: number): void;
}

export interface TestBotOptions {
  discord?: DiscordOptions;
  token?: string;
  guildIds?: (discord: DiscordStandIn) => string[];
  /** Where the bot looks for Discord. Default: at the stand-in. */
  api?: string;
  /** Before the bot starts. */
  before?: (parts: Omit<TestBot, "bot" | keyof AsyncDisposable>) => void;
  /** Default true. */
  start?: boolean;
}

/** Waits are 50 times shorter than they say, but for the long ones: those are patience, and not to be run out of. */
const quickTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms < 10_000 ? ms / 50 : ms);
    return () => clearTimeout(timer);
  },
};

export async function openTestBot(options: TestBotOptions = {}): Promise<TestBot> {
  const { token, guildIds = () => [], before, start = true } = options;
  let ahead = 0;
  let times = 0;
  const now = () => Date.now() + ahead;
  const discord = await startDiscord({ now, ...options.discord });
  const config = configSchema.parse({
    discord: { api: options.api ?? discord.api, cdn: [discord.cdnHost], guild_ids: guildIds(discord) },
    log: { format: "json" },
  });
  const log: TestBot["log"] = [];
  const logTo = { write: (line: string) => void log.push(JSON.parse(line)) };
  const telemetry = await openTelemetry({ config, version: "0.0.0", env: {}, logTo });
  const llm = createScriptedLlm();
  const shelf = createShelf({ now });
  const connections: PromiseWithResolvers<void>[] = [];
  const connectionAt = (index: number) => {
    connections[index] ??= Promise.withResolvers();
    return connections[index];
  };
  const connected = (count: number) => connectionAt(count - 1).promise;
  const closing = new AbortController();
  const parts = { discord, llm, shelf, telemetry, log, closing, now, connected, later };
  before?.(parts);

  function later(ms: number): void {
    ahead += ms;
  }

  const bot = createBot({
    config,
    token: token ?? discord.token,
    files: shelf.files,
    llm,
    limits: limitsFrom(config),
    telemetry,
    metrics: createMetrics(telemetry.meter),
    closing: closing.signal,
    now,
    onReady: () => connectionAt(times++).resolve(),
    timers: quickTimers,
    pace: { first: 1_000, longest: 5_000 },
  });

  async function close(): Promise<void> {
    llm.interruptAll();
    await bot.drain();
    await bot.close();
    await telemetry.shutdown();
    const loud = discord.requests.filter(mayPing).map(({ route }) => route);
    await discord.stop();
    if (loud.length > 0) throw new Error(`Sent without allowed_mentions: ${loud.join(", ")}`);
  }

  try {
    if (start) await bot.start();
    if (start && bot.state().state === "ready") await connected(1);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...parts, bot, [Symbol.asyncDispose]: close };
}

/** A message sent or edited that does not say that nobody is to be notified. */
function mayPing({ method, route, body }: RequestRecord): boolean {
  const isMessage = /\/messages|\/webhooks|\/callback/.test(route);
  if (!isMessage || !["POST", "PATCH"].includes(method)) return false;
  const message = route.includes("/callback") ? dataOf(body) : body;
  return message !== undefined && !Bun.deepEquals(allowedMentionsOf(message), { parse: [] });
}

/** The message in an interaction's first response, if it is one: 4 sends and 7 edits. */
function dataOf(body: unknown): unknown {
  const { type, data } = body as { type: number; data?: unknown };
  return type === 4 || type === 7 ? (data ?? {}) : undefined;
}

const allowedMentionsOf = (message: unknown) => (message as { allowed_mentions?: unknown }).allowed_mentions;
