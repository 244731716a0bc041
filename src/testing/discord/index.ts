import { GatewayIntentBits } from "discord-api-types/v10";
import { type Arrangement, createArrangement } from "./arrange.ts";
import { startCdn } from "./cdn.ts";
import { type Change, createChanges, type WaitOptions } from "./changes.ts";
import { type Client, createClient, messageIntent } from "./client.ts";
import { createCommands } from "./commands.ts";
import { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
import { createLimits, DISCORD_LIMITS, type RateLimit, type RateLimits, type Refusal } from "./limits.ts";
import { createMessages, type Message } from "./message.ts";
import { authorPayload, type messagePayload, messageWithReference } from "./payloads.ts";
import type { RequestRecord } from "./records.ts";
import { channelRoutes } from "./rest/channels.ts";
import { commandRoutes } from "./rest/commands.ts";
import { identityRoutes } from "./rest/identity.ts";
import { interactionRoutes } from "./rest/interactions.ts";
import { routeKey } from "./rest/route.ts";
import { createRest, type Failure } from "./rest/server.ts";
import { threadRoutes } from "./rest/threads.ts";
import { openValidation } from "./validation.ts";
import { createWorld, hasBot, type WorldOptions } from "./world.ts";

export type { CdnTrouble } from "./cdn.ts";
export type { Asked, AttachedFile, Invocation, OptionValue } from "./client.ts";
export type { FirstResponse } from "./interaction.ts";
export type { RateLimit, RateLimits } from "./limits.ts";
export type { RequestRecord } from "./records.ts";
export type { Failure } from "./rest/server.ts";
export type { ShownButton, ShownMessage } from "./shown.ts";

export interface DiscordOptions extends WorldOptions, GatewayOptions {
  /** Default: any free one. */
  port?: number;
  /** Default: a made-up one of the real shape. */
  token?: string;
  /** Discord's clock, in milliseconds since the epoch; near the present, since ids carry it. */
  now?: () => number;
  /** `discord`: as strict as the real one. Default: headers, and limits that no test meets. */
  limits?: "discord" | RateLimits;
  /** Path of Discord's OpenAPI description; empty: no checks against it. Default $DISCORD_OPENAPI. */
  openapi?: string;
}

/** Discord, as far as a bot and its people can tell. */
export interface DiscordStandIn extends Client, Arrangement, AsyncDisposable {
  /** As config.discord.api takes it. */
  readonly api: string;
  /** As an entry of config.discord.cdn takes it. */
  readonly cdnHost: string;
  /** The bot token that is accepted. */
  readonly token: string;
  /** Also the bot's user id. */
  readonly applicationId: string;
  readonly port: number;
  readonly gateway: Gateway;
  /** Every request of the bot, in the order of its answer. */
  readonly requests: readonly RequestRecord[];
  /** Paths that were fetched from the CDN. */
  readonly downloads: readonly string[];
  /** What the bot or the stand-in got wrong against Discord's rules. `stop` throws when there is any. */
  readonly violations: readonly string[];
  /** Answers of 401, 403 and 429: Discord bans an address after 10,000 in 10 minutes. */
  readonly invalidRequests: number;

  /** Waits until a command of this name is registered. */
  registered(name: string, options?: WaitOptions): Promise<void>;
  /** Requests on `METHOD /path/{template}`. */
  requestsTo(route: string): RequestRecord[];
  /** Waits for the n-th request on a route. */
  request(route: string, options?: { count?: number } & WaitOptions): Promise<RequestRecord>;
  /** The next requests on a route fail in this way. */
  fail(route: string, failure: Failure & { times?: number }): void;
  /** The next requests on a route are answered 429. */
  refuse(route: string, refusal: Refusal): void;
  limit(route: string, limit: RateLimit): void;
  /** An outage: REST answers 503, the gateway is gone and lets nobody in. Its sessions can be resumed afterwards. */
  outage(on: boolean): void;
  /** The token stops being worth anything: REST answers 401, the gateway 4004. */
  revokeToken(): void;
  /** Forgets violations that a test provoked. Gives them. */
  takeViolations(): string[];
  /** Called after everything that happens. Gives the way to stop it. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Throws when there were violations. */
  stop(): Promise<void>;
}

/** Starts Discord on 127.0.0.1. */
export async function startDiscord(options: DiscordOptions = {}): Promise<DiscordStandIn> {
  const { now = () => Date.now(), limits: rules = {}, openapi = process.env.DISCORD_OPENAPI } = options;
  const changes = createChanges();
  const world = createWorld({ now, changes }, options);
  const given = options.token ?? makeToken(world.applicationId);
  const requests: RequestRecord[] = [];
  const violations: string[] = [];
  const failures = new Map<string, { failure: Failure; times: number }>();
  const stopping = new AbortController();
  let token: string | undefined = given;
  let down = false;

  function violation(text: string): void {
    violations.push(text);
    changes.emit("violation");
  }

  const [cdn, validation] = await Promise.all([startCdn(), openValidation(openapi, violation)]);
  const gateway = createGateway(
    {
      world,
      changes,
      token: () => token ?? "",
      url: () => `ws://127.0.0.1:${server.port}/gateway`,
      violation,
      check: (event, data) => checkEvent(event, data),
    },
    options,
  );

  function checkEvent(event: string, data: unknown): void {
    const schema = EVENT_SCHEMAS[event];
    if (schema) validation.object(schema, data, `gateway ${event}`);
  }

  function announce(event: "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE", message: Message): void {
    const channel = world.channels.get(message.channelId);
    if (!channel || !hasBot(world, channel) || message.flags & 64) return;
    const place = { channel_id: channel.id, ...(channel.guildId !== null && { guild_id: channel.guildId }) };
    const data = (intents: number) =>
      event === "MESSAGE_DELETE"
        ? { id: message.id }
        : readable(messageWithReference(world, message), intents);
    const author = world.people.get(message.authorId);
    const member = author && event !== "MESSAGE_DELETE" ? authorPayload(world, channel, author) : {};
    gateway.dispatch(event, (intents) => ({ ...data(intents), ...place, ...member }), messageIntent(channel));
  }

  /** Without the message content intent a bot reads only direct messages, its own and those that mention it. */
  function readable(payload: ReturnType<typeof messageWithReference>, intents: number): object {
    const referenced = "referenced_message" in payload ? payload.referenced_message : null;
    if (referenced) return { ...alone(payload, intents), referenced_message: alone(referenced, intents) };
    return alone(payload, intents);
  }

  function alone(payload: ReturnType<typeof messagePayload>, intents: number): object {
    const { author, mentions, channel_id } = payload;
    const concerned = [author, ...mentions].some(({ id }) => id === world.bot.id);
    const direct = world.channels.get(channel_id)?.guildId === null;
    if (concerned || direct || intents & GatewayIntentBits.MessageContent) return payload;
    return { ...payload, content: "", embeds: [], attachments: [], components: [] };
  }

  const messages = createMessages({ world, cdn, announce });
  const commands = createCommands(world);
  const client = createClient({ world, cdn, messages, gateway });
  const limits = createLimits(now, rules === "discord" ? DISCORD_LIMITS : rules, {
    global: rules === "discord",
  });
  const routes = [
    ...identityRoutes({ world, gateway, privilegedIntents: options.privilegedIntents ?? 0 }),
    ...commandRoutes({ world, commands }),
    ...channelRoutes({ world, messages }),
    ...threadRoutes({ world, messages, gateway }),
    ...interactionRoutes({ world, messages }),
  ];
  const rest = createRest(routes, {
    now,
    limits,
    validation,
    token: () => token ?? "",
    down: () => down,
    takeFailure,
    record(record) {
      requests.push(record);
      changes.emit("request");
    },
    violation,
    stopped: stopping.signal,
  });

  function takeFailure(route: string): Failure | undefined {
    const planned = failures.get(route);
    if (!planned) return undefined;
    planned.times -= 1;
    if (planned.times <= 0) failures.delete(route);
    return planned.failure;
  }

  /** A test that names a route which does not exist would wait for ever. */
  function known(route: string): string {
    if (routes.some((one) => routeKey(one) === route)) return route;
    throw new Error(`No route ${route}, only:\n${routes.map(routeKey).join("\n")}`);
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    websocket: gateway.handlers,
    idleTimeout: 0,
    fetch(request, server) {
      if (gateway.upgrade(request, server)) return undefined;
      return rest.fetch(request);
    },
  });
  const { port = 0 } = server;

  async function stop(): Promise<void> {
    stopping.abort();
    gateway.drop();
    await Promise.all([server.stop(true), cdn.stop()]);
    if (violations.length > 0) throw new Error(`Against Discord's rules:\n${violations.join("\n\n")}`);
  }

  const requestsTo = (route: string) => requests.filter((one) => one.route === known(route));

  return {
    ...client,
    ...createArrangement({ world, gateway }),
    api: `http://127.0.0.1:${port}/api`,
    cdnHost: cdn.origin,
    token: given,
    applicationId: world.applicationId,
    port,
    gateway,
    requests,
    downloads: cdn.requests,
    violations,
    get invalidRequests() {
      return requests.filter(({ status }) => [401, 403, 429].includes(status)).length;
    },
    async registered(name, options) {
      const probe = () => [...world.commands.values()].find(({ body }) => body.name === name);
      await changes.until(`the command ${name}`, probe, options);
    },
    requestsTo,
    request(route, { count = 1, ...options } = {}) {
      const probe = () => requestsTo(route)[count - 1];
      const seen = () => requests.map(({ route, status }) => `${status} ${route}`);
      return changes.until(`request ${count} of ${route}`, probe, { seen, ...options });
    },
    fail: (route, { times = 1, ...failure }) => void failures.set(known(route), { failure, times }),
    refuse: (route, refusal) => limits.refuse(known(route), refusal),
    limit: (route, limit) => limits.set(known(route), limit),
    outage(on) {
      down = on;
      gateway.refuse(on);
      if (on) gateway.drop();
    },
    revokeToken() {
      token = undefined;
      gateway.close(4004, "Authentication failed.");
    },
    takeViolations: () => violations.splice(0),
    subscribe: changes.subscribe,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Which schema of the description a gateway event's data has, where there is one. */
const EVENT_SCHEMAS: Record<string, string> = {
  MESSAGE_CREATE: "MessageResponse",
  MESSAGE_UPDATE: "MessageResponse",
  CHANNEL_UPDATE: "GuildChannelResponse",
  THREAD_CREATE: "ThreadResponse",
  THREAD_UPDATE: "ThreadResponse",
  GUILD_CREATE: "GuildResponse",
};

/** Shaped as a bot token is: its application's id, a time, a signature. */
function makeToken(applicationId: string): string {
  const part = (bytes: number) =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64url");
  return `${Buffer.from(applicationId).toString("base64url")}.${part(4)}.${part(28)}`;
}
