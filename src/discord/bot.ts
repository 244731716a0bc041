import type { Messenger } from "../announce/ports.ts";
import type { Config } from "../config/schema.ts";
import type { Files } from "../files/files.ts";
import type { Now } from "../lib/clock.ts";
import type { Llm } from "../llm/llm.ts";
import type { Limits } from "../members/limits.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { buttons, commandGroups, commands, messageCommands, modals } from "./commands/index.ts";
import { createDispatcher } from "./dispatch.ts";
import { createEditBudget } from "./edit-budget.ts";
import { createGateway } from "./gateway.ts";
import type { Pace } from "./identify.ts";
import { markInterrupted } from "./interrupted.ts";
import { createMessenger } from "./messenger.ts";
import type { BotState } from "./ports.ts";
import { createPosts } from "./posts.ts";
import { tokenRefused } from "./refusals.ts";
import { registerCommands } from "./register.ts";
import { createMessages } from "./respond.ts";
import { createRest } from "./rest.ts";
import { createMessageListener } from "./talk.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { createUploadProgress, type UploadProgress } from "./upload-progress.ts";

export interface BotDeps {
  config: Pick<Config, "discord" | "files" | "llm">;
  /** Without a trailing slash. */
  publicUrl: string;
  token: string;
  files: Files;
  llm: Llm;
  limits: Limits;
  telemetry: Telemetry;
  metrics: Metrics;
  /** Aborted, with what its person is to be told, when no more time is left for the attachments that are coming in. */
  closing: AbortSignal;
  now: Now;
  /** Connected, for the first time or again: what waits for Discord may be tried now. */
  onReady?: () => void;
  /** Tests wait less. */
  timers?: Timers;
  pace?: Pace;
}

export interface Bot {
  /**
   * Resolves when the bot is ready, or when it is known to go on trying in the background. Rejects with WisError
   * discord.token_refused or discord.intents_refused, and with nothing else.
   */
  start(): Promise<void>;
  messenger: Messenger;
  /** Told how far an upload is: FilesDeps.onProgress. */
  onProgress: UploadProgress["report"];
  state(): BotState;
  /** New interactions and messages are told that wisbot is shutting down; resolves when the open ones have had their last edit. */
  drain(): Promise<void>;
  /** Takes the bot off Discord; resolves when Discord has closed the connection too, which may take long. */
  close(): Promise<void>;
}

const PACE: Pace = { first: 5_000, longest: 5 * 60_000 };

/** The Discord edge. This module and what it imports loads discord.js: import it only where a bot is wanted. */
export function createBot(deps: BotDeps): Bot {
  const { config, token, files, llm, telemetry, now, onReady } = deps;
  const { timers = systemTimers, pace = PACE } = deps;
  const { api, guild_ids: guildIds } = config.discord;
  const rest = createRest({ api, token, now, onTokenRefused: () => gateway.refuse(tokenRefused()) });
  const messages = createMessages({ rest, telemetry, now });
  const budget = createEditBudget({ now });
  const progress = createUploadProgress({ ...deps, messages, budget, timers });
  const posts = createPosts();
  const dispatcher = createDispatcher({
    ...deps,
    commands,
    commandGroups,
    buttons,
    modals,
    messageCommands,
    messages,
    budget,
    posts,
    timers,
  });
  const listener = createMessageListener({ ...deps, messages, budget, timers });
  let registered = false;
  /** One connection's work after the other's, however fast they come and go. */
  let work = Promise.resolve();

  async function register(applicationId: string): Promise<void> {
    if (registered) return;
    const { written, removed } = await registerCommands(
      { rest, commands, messageCommands },
      { applicationId, guildIds },
    );
    registered = true;
    telemetry.log.info({ written, removed }, "Discord: commands registered");
  }

  async function reconcile(): Promise<void> {
    const marked = await markInterrupted({ llm, messages });
    if (marked > 0)
      telemetry.log.warn({ answers: marked }, "Discord: marked answers that the last stop interrupted");
  }

  /** The two have nothing to do with each other: one failing leaves the other. */
  async function onConnected(applicationId: string): Promise<void> {
    await telemetry.span("discord.connected", { root: true }, async () => {
      await register(applicationId).catch(
        (error) => void telemetry.record(error, "registering the commands"),
      );
      await reconcile().catch((error) => void telemetry.record(error, "marking interrupted answers"));
    });
    onReady?.();
  }

  const gateway = createGateway({
    api,
    token,
    rest,
    telemetry,
    messageContent: config.discord.message_content,
    onInteraction: dispatcher.handle,
    onMessage: listener,
    onConnected: (applicationId) => {
      work = work
        .then(() => onConnected(applicationId))
        .catch((error) => void telemetry.record(error, "coming back to Discord"));
    },
    timers,
    now,
    pace,
  });

  return {
    start: gateway.start,
    messenger: createMessenger({
      files,
      messages,
      progress,
      remindBefore: config.files.remind_before,
      telemetry,
      now,
    }),
    onProgress: progress.report,
    state: gateway.state,
    async drain() {
      await Promise.all([dispatcher.drain(), listener.drain(), progress.drain(), work]);
    },
    async close() {
      await gateway.close();
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
    },
  };
}
