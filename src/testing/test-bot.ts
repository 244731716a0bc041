import { configSchema } from "../config/schema.ts";
import { type Bot, createBot } from "../discord/bot.ts";
import type { Timers } from "../discord/timers.ts";
import { limitsFrom } from "../members/limits.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import {
  type DiscordOptions,
  type DiscordStandIn,
  type RequestRecord,
  startDiscord,
} from "./discord/index.ts";
import { openTestDesk, type TestDesk, type TestDeskOptions } from "./file-desk.ts";
import { createScriptedLlm, type ScriptedLlm } from "./scripted-llm.ts";

/**
 * The real bot on real discord.js and a real file desk, between a Discord stand-in and a scripted model. Disposing it
 * throws when anything was sent against Discord's rules, or without saying that nobody is to be notified.
 */
export interface TestBot extends AsyncDisposable {
  bot: Bot;
  discord: DiscordStandIn;
  llm: ScriptedLlm;
  /** On the clock of both sides, with the limits of `files`. */
  desk: TestDesk;
  /** That of the desk too. */
  telemetry: Telemetry;
  /** Log lines so far, parsed. */
  lines: TestDesk["lines"];
  /** Resolves when the bot is connected for the n-th time and has seen to what waited for that. */
  connected(count: number): Promise<void>;
  /** What cuts attachments when wisbot ends. */
  closing: AbortController;
  /** The clock of both sides; it also moves by itself. */
  now(): number;
  /** Moves both sides' clock on. */
  later(ms: number): void;
}

export interface TestBotOptions extends Pick<TestDeskOptions, "wrapBlobs" | "wrapIndex"> {
  discord?: DiscordOptions;
  token?: string;
  guildIds?: (discord: DiscordStandIn) => string[];
  /** That part of config.yaml. */
  files?: (discord: DiscordStandIn) => object;
  /** Further keys of config.yaml. */
  config?: { discord?: object; llm?: object };
  /** Where the bot looks for Discord. Default: at the stand-in. */
  api?: string;
  /** Before the bot starts. */
  before?: (parts: Omit<TestBot, "bot" | keyof AsyncDisposable>) => void;
  /** Default true. */
  start?: boolean;
}

/** Waits of less are shortened; longer ones are patience. */
const LONG_MS = 10_000;

/** Waits are 50 times shorter than they say, but for the long ones: those end when the test's clock has moved so far. */
function createQuickTimers(now: () => number) {
  const long = new Set<{ at: number; run: () => void }>();
  const timers: Timers = {
    after(ms, run) {
      if (ms < LONG_MS) {
        const timer = setTimeout(run, ms / 50);
        return () => clearTimeout(timer);
      }
      const one = { at: now() + ms, run };
      long.add(one);
      return () => void long.delete(one);
    },
  };
  function moved(): void {
    for (const one of long) {
      if (one.at > now()) continue;
      long.delete(one);
      one.run();
    }
  }
  return { timers, moved };
}

export async function openTestBot(options: TestBotOptions = {}): Promise<TestBot> {
  const { token, guildIds = () => [], files = () => ({}), config: keys, before, start = true } = options;
  let ahead = 0;
  let times = 0;
  const { timers, moved } = createQuickTimers(() => now());
  const now = () => Date.now() + ahead;
  await using opening = new AsyncDisposableStack();
  const discord = opening.use(await startDiscord({ now, ...options.discord }));
  const config = configSchema.parse({
    discord: {
      api: options.api ?? discord.api,
      cdn: [discord.cdnHost],
      guild_ids: guildIds(discord),
      ...keys?.discord,
    },
    llm: keys?.llm,
    files: files(discord),
  });
  const limits = limitsFrom(config);
  const clock = {
    get now() {
      return now();
    },
  };
  let bot: Bot | undefined;
  const onProgress: Bot["onProgress"] = (upload, received) => bot?.onProgress(upload, received);
  const desk = opening.use(await openTestDesk({ ...options, limits: limits.files, clock, onProgress }));
  const { telemetry, metrics, lines } = desk;
  const llm = createScriptedLlm();
  const connections: PromiseWithResolvers<void>[] = [];
  const connectionAt = (index: number) => {
    connections[index] ??= Promise.withResolvers();
    return connections[index];
  };
  const connected = (count: number) => connectionAt(count - 1).promise;
  const closing = new AbortController();
  const parts = { discord, llm, desk, telemetry, lines, closing, now, connected, later };
  before?.(parts);

  function later(ms: number): void {
    ahead += ms;
    moved();
  }

  const running = createBot({
    config,
    publicUrl: "http://wisbot.test",
    token: token ?? discord.token,
    files: desk.files,
    llm,
    limits,
    telemetry,
    metrics,
    closing: closing.signal,
    now,
    onReady: () => connectionAt(times++).resolve(),
    timers,
    pace: { first: 1_000, longest: 5_000 },
  });
  bot = running;
  opening.defer(async () => {
    llm.interruptAll();
    await running.drain();
    await running.close();
    refuseLoud(discord.requests);
  });

  if (start) await running.start();
  if (start && running.state().state === "ready") await connected(1);
  const opened = opening.move();
  return { ...parts, bot: running, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function refuseLoud(requests: readonly RequestRecord[]): void {
  const loud = requests.filter(mayPing).map(({ route }) => route);
  if (loud.length > 0) throw new Error(`Sent without allowed_mentions: ${loud.join(", ")}`);
}

/** A message sent or edited that does not say that nobody is to be notified. */
function mayPing({ method, route, body }: RequestRecord): boolean {
  const isMessage = /\/messages(?!.*\/threads)|\/webhooks|\/callback/.test(route);
  if (!isMessage || !["POST", "PATCH"].includes(method)) return false;
  const message = route.includes("/callback") ? dataOf(body) : body;
  if (message === undefined) return false;
  // `replied_user` is what a reply says beside it.
  const { replied_user, ...said } = (allowedMentionsOf(message) ?? {}) as { replied_user?: boolean };
  return replied_user === true || !Bun.deepEquals(said, { parse: [] });
}

/** The message in an interaction's first response, if it is one: 4 sends and 7 edits. */
function dataOf(body: unknown): unknown {
  const { type, data } = body as { type: number; data?: unknown };
  return type === 4 || type === 7 ? (data ?? {}) : undefined;
}

const allowedMentionsOf = (message: unknown) => (message as { allowed_mentions?: unknown }).allowed_mentions;
