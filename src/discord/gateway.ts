import {
  type Client,
  Events,
  GatewayCloseCodes,
  GatewayDispatchEvents,
  type GatewayMessageCreateDispatchData,
  type GatewayMessageDeleteBulkDispatchData,
  type GatewayMessageDeleteDispatchData,
  type Interaction,
  type REST,
} from "discord.js";
import { isWisError, WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { createClient } from "./client.ts";
import { fromDiscord } from "./errors.ts";
import type { Said } from "./heard.ts";
import { backOff, createIdentifyThrottler, type Pace, sessionsLeft } from "./identify.ts";
import { inviteUrl } from "./invite.ts";
import type { BotState } from "./ports.ts";
import { contentRefused, intentsRefused, tokenRefused, unreachable } from "./refusals.ts";
import type { MessageListener } from "./talk.ts";
import { type Timers, wait } from "./timers.ts";

/** The connection by which interactions and messages come in. discord.js resumes a lost one; what it gives up is begun anew here. */
export interface Gateway {
  /**
   * Resolves when the bot is ready, or when it is known that it will take more than one try. Rejects with WisError
   * discord.token_refused or discord.intents_refused.
   */
  start(): Promise<void>;
  state(): BotState;
  /** Discord refuses the bot for good, wherever that was noticed. */
  refuse(error: WisError): void;
  /** Resolves when Discord has closed the connection too: whoever can't wait for that has to bound it. */
  close(): Promise<void>;
}

export interface GatewayDeps {
  api: string;
  token: string;
  rest: REST;
  telemetry: Telemetry;
  /** Asks for the intent to read all messages, which has to be granted in Discord's portal. */
  messageContent: boolean;
  onInteraction: (interaction: Interaction) => void;
  onMessage: Pick<MessageListener, "created" | "updated" | "deleted">;
  /** Connected, for the first time or again: what waits for Discord may be tried. */
  onConnected: (applicationId: string) => void;
  timers: Timers;
  now: Now;
  pace: Pace;
}

/** What start() waits at most; the try itself goes on. */
const START_PATIENCE_MS = 10_000;
/** A gateway connection comes and goes; an outage is what lasts longer. */
const OUTAGE_AFTER_MS = 10_000;

export function createGateway(deps: GatewayDeps): Gateway {
  const { api, token, rest, telemetry, messageContent, onInteraction, onMessage, onConnected } = deps;
  const { timers, now, pace } = deps;
  const { log } = telemetry;
  const throttler = createIdentifyThrottler({ rest, log, timers, now, pace });
  const closing = new AbortController();
  const started = Promise.withResolvers<void>();
  /** Whether somebody still waits for `started`: who refuses the bot afterwards is recorded, not thrown. */
  let starting = true;
  const begun = () => {
    starting = false;
    started.resolve();
  };
  let client: Client<boolean> | undefined;
  let current: Pick<BotState, "state" | "detail"> = { state: "connecting", detail: "Connecting to Discord." };
  let outage: { since: number; calledOff: () => void } | undefined;

  function ready(bot: Client<boolean>, how: string): void {
    current = { state: "ready", detail: `Connected to Discord as ${bot.user?.username}.` };
    outage?.calledOff();
    const awayMs = outage && now() - outage.since;
    outage = undefined;
    log.info({ servers: bot.guilds.cache.size, ...(awayMs && { awayMs }) }, `Discord: ${how}`);
    begun();
    if (bot.application) onConnected(bot.application.id);
  }

  /** Recorded once an outage, however often it is tried in vain. */
  function lost(cause: unknown, patience: number): void {
    if (current.state !== "connecting" && current.state !== "ready") return;
    current = { state: "connecting", detail: "Discord can't be reached at the moment; trying again." };
    outage ??= {
      since: now(),
      calledOff: timers.after(patience, () => {
        telemetry.record(unreachable(cause), "connecting to Discord");
      }),
    };
  }

  function refuse(error: WisError): void {
    if (closing.signal.aborted || current.state === "refused") return;
    const atStart = starting && !outage;
    current = { state: "refused", detail: error.hint ? `${error.say} ${error.hint}` : error.say };
    outage?.calledOff();
    closing.abort();
    if (atStart && isWisError(error, "discord.token_refused", "discord.intents_refused"))
      started.reject(error);
    else telemetry.record(error, "staying connected to Discord");
    begun();
    end(client);
  }

  function end(bot: Client<boolean> | undefined): Promise<void> {
    if (!bot) return Promise.resolve();
    return bot.destroy().catch((error) => {
      telemetry.record(error, "closing the connection to Discord");
    });
  }

  /**
   * From the gateway's own payloads: they bring along what a message replies to, and tell of changes and deletions of
   * what is in no cache; discord.js's messages do neither without keeping them all.
   */
  function listenToMessages(bot: Client<boolean>): void {
    const on = <Data>(event: GatewayDispatchEvents, take: (data: Data) => void) =>
      bot.ws.on(event, (data: Data) => {
        try {
          take(data);
        } catch (error) {
          telemetry.record(error, "handling a message from Discord");
        }
      });
    on(GatewayDispatchEvents.MessageCreate, (message: Written) => onMessage.created(saidTo(bot, message)));
    on(GatewayDispatchEvents.MessageUpdate, (message: Written) => onMessage.updated(saidTo(bot, message)));
    on(GatewayDispatchEvents.MessageDelete, ({ id }: GatewayMessageDeleteDispatchData) =>
      onMessage.deleted([id]),
    );
    on(GatewayDispatchEvents.MessageDeleteBulk, ({ ids }: GatewayMessageDeleteBulkDispatchData) =>
      onMessage.deleted(ids),
    );
  }

  function listen(bot: Client<boolean>): void {
    bot.on(Events.InteractionCreate, onInteraction);
    listenToMessages(bot);
    bot.on(Events.ShardReady, () => {
      ready(bot, "connected");
      if (bot.application && bot.guilds.cache.size === 0) {
        log.info(
          { inviteUrl: inviteUrl(bot.application.id) },
          "Discord: the bot is in no server yet; invite it with this link",
        );
      }
    });
    bot.on(Events.ShardResume, () => ready(bot, "resumed"));
    bot.on(Events.ShardReconnecting, () => {
      log.info({}, "Discord: connection lost, connecting again");
      lost(new Error("the gateway connection was closed"), OUTAGE_AFTER_MS);
      begun();
    });
    bot.on(Events.ShardDisconnect, ({ code }) => refuse(refusalBy(code, messageContent)));
    bot.on(Events.ShardError, (error) => log.debug({ err: error }, "Discord: gateway connection failed"));
    bot.on(Events.Error, (error) => void telemetry.record(error, "handling an event from Discord"));
    bot.on(Events.Warn, (message) => log.warn({}, `Discord: ${message}`));
  }

  /** Resolves when a session has begun; from then on discord.js keeps it. */
  async function connect(): Promise<void> {
    const { remaining, resetAfter } = await sessionsLeft(rest);
    if (remaining === 0) {
      lost(new Error("Discord grants no more sessions today"), 0);
      begun();
      await wait(timers, resetAfter, closing.signal);
    }
    closing.signal.throwIfAborted();
    const ended = new AbortController();
    const over = AbortSignal.any([ended.signal, closing.signal]);
    const bot = createClient({ api, messageContent, throttler, ended: over });
    client = bot;
    listen(bot);
    try {
      await bot.login(token);
    } catch (error) {
      ended.abort();
      throw error;
    }
  }

  async function keepConnecting(): Promise<void> {
    for (let tries = 0; !closing.signal.aborted; tries += 1) {
      try {
        return await connect();
      } catch (error) {
        if (closing.signal.aborted) return;
        const wisError = fromDiscord(error, "open the gateway");
        if (wisError.code === "discord.token_refused") return refuse(wisError);
        lost(error, 0);
        begun();
        await wait(timers, backOff(pace, tries), closing.signal);
      }
    }
  }

  return {
    start() {
      const calledOff = timers.after(START_PATIENCE_MS, begun);
      keepConnecting().catch((error) => {
        if (!closing.signal.aborted) telemetry.record(error, "connecting to Discord");
      });
      return started.promise.finally(calledOff);
    },
    state() {
      const application = client?.application;
      const alone = current.state === "ready" && client?.guilds.cache.size === 0;
      return { ...current, inviteUrl: alone && application ? inviteUrl(application.id) : undefined };
    },
    refuse,
    async close() {
      outage?.calledOff();
      closing.abort();
      begun();
      if (current.state !== "refused") current = { state: "stopped", detail: "Disconnected from Discord." };
      await end(client);
    },
  };
}

type Written = GatewayMessageCreateDispatchData;

function saidTo({ user, application, channels }: Client<boolean>, message: Written): Said {
  const channel = channels.cache.get(message.channel_id);
  const thread = channel?.isThread() ? { ownerId: channel.ownerId, parentId: channel.parentId } : undefined;
  return { message, botId: user?.id ?? "", applicationId: application?.id ?? "", thread };
}

// https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
function refusalBy(code: number, messageContent: boolean): WisError {
  const cause = new Error(`the gateway closed with ${code} ${GatewayCloseCodes[code] ?? ""}`.trim());
  if (code === GatewayCloseCodes.AuthenticationFailed) return tokenRefused(cause);
  if (code === GatewayCloseCodes.DisallowedIntents || code === GatewayCloseCodes.InvalidIntents) {
    return messageContent ? contentRefused(cause) : intentsRefused(cause);
  }
  return new WisError("discord.failed", {
    say: `Discord closed the connection for good (${code}).`,
    hint: "Look up the close code in Discord's documentation; WisBot may need an update.",
    cause,
  });
}
