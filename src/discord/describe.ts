import { WisError } from "../errors.ts";
import { inviteUrl } from "./invite.ts";
import { tokenRefused, unreachable } from "./refusals.ts";

// Plain fetch: init and doctor ask two questions, and discord.js takes longer to load than they to be answered.

export interface DescribeBotInput {
  /** Base of the REST API, without the version. */
  api: string;
  token: string;
  signal: AbortSignal;
}

export interface BotDescription {
  id: string;
  name: string;
  inviteUrl: string;
  /** Roughly; undefined when Discord does not say. */
  servers: number | undefined;
  /** Sessions that the gateway still grants until its daily reset. */
  sessionsLeft: number;
}

/**
 * Asks Discord whose token this is, without connecting the bot.
 * Throws WisError discord.token_refused, discord.unreachable, discord.failed.
 */
export async function describeBot(input: DescribeBotInput): Promise<BotDescription> {
  const [user, application, gateway] = await Promise.all([
    get<{ username: string }>(input, "/users/@me"),
    get<{ id: string; approximate_guild_count?: number }>(input, "/applications/@me"),
    get<{ session_start_limit: { remaining: number } }>(input, "/gateway/bot"),
  ]);
  return {
    id: application.id,
    name: user.username,
    inviteUrl: inviteUrl(application.id),
    servers: application.approximate_guild_count,
    sessionsLeft: gateway.session_start_limit.remaining,
  };
}

async function get<T>({ api, token, signal }: DescribeBotInput, path: string): Promise<T> {
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
