import { WisError } from "../errors.ts";
import { inviteUrl } from "./invite.ts";
import { tokenRefused, unreachable } from "./refusals.ts";

// Plain fetch: init and doctor ask a few questions, and discord.js takes longer to load than they to be answered.

export interface DiscordAccess {
  /** Base of the REST API, without the version. */
  api: string;
  token: string;
  signal: AbortSignal;
}

export interface BotDescription {
  id: string;
  name: string;
  inviteUrl: string;
}

/**
 * Asks Discord whose token this is, without connecting the bot.
 * Throws WisError discord.token_refused, discord.unreachable, discord.failed.
 */
export async function describeBot(access: DiscordAccess): Promise<BotDescription> {
  const [{ name }, { id, inviteUrl }] = await Promise.all([askUser(access), askApplication(access)]);
  return { id, name, inviteUrl };
}

/** The bot's user. Throws as describeBot does, as do the two below. */
export async function askUser(access: DiscordAccess): Promise<{ id: string; name: string }> {
  const { id, username } = await get<{ id: string; username: string }>(access, "/users/@me");
  return { id, name: username };
}

/** A bot's application. */
export interface Application {
  id: string;
  inviteUrl: string;
  /** Roughly how many it is in; undefined when Discord does not say. */
  servers: number | undefined;
  /** It may read all messages. */
  readsMessages: boolean;
}

/** GATEWAY_MESSAGE_CONTENT, or _LIMITED for bots in few servers: https://discord.com/developers/docs/resources/application#application-object-application-flags */
const MESSAGE_CONTENT = (1 << 18) | (1 << 19);

export async function askApplication(access: DiscordAccess): Promise<Application> {
  const found = await get<{ id: string; approximate_guild_count?: number; flags?: number }>(
    access,
    "/applications/@me",
  );
  const { id, approximate_guild_count: servers, flags = 0 } = found;
  return { id, inviteUrl: inviteUrl(id), servers, readsMessages: (flags & MESSAGE_CONTENT) !== 0 };
}

/** How many sessions the gateway still grants until its daily reset. */
export async function askSessions(access: DiscordAccess): Promise<number> {
  const { session_start_limit } = await get<{ session_start_limit: { remaining: number } }>(
    access,
    "/gateway/bot",
  );
  return session_start_limit.remaining;
}

async function get<T>({ api, token, signal }: DiscordAccess, path: string): Promise<T> {
  const url = `${api.replace(/\/+$/, "")}/v10${path}`;
  // A redirect would take the token elsewhere.
  const init = { headers: { authorization: `Bot ${token}` }, redirect: "error", signal } as const;
  const response = await fetch(url, init).catch((error) => {
    throw unreachable(error);
  });
  if (response.status === 401) throw tokenRefused();
  if (response.status >= 500) throw unreachable(new Error(`GET ${path} answered ${response.status}`));
  if (!response.ok)
    throw failed(new Error(`GET ${path} answered ${response.status}: ${await response.text()}`));
  return response.json().catch((error) => {
    throw failed(error);
  }) as Promise<T>;
}

function failed(cause: unknown): WisError {
  return new WisError("discord.failed", {
    say: "Discord did not answer as its API promises.",
    hint: "Check that discord.api is the base of Discord's REST API, normally https://discord.com/api.",
    cause,
  });
}
