import type { Check, Finding } from "../doctor/ports.ts";
import { isWisError } from "../errors.ts";
import { askApplication, askSessions, askUser, type DiscordAccess } from "./describe.ts";
import { contentRefused } from "./refusals.ts";

export interface DiscordChecksDeps {
  /** Base of the REST API, without the version. */
  api: string;
  /** Undefined: Discord is off. */
  token: string | undefined;
  /** discord.message_content */
  messageContent: boolean;
}

/** Under doctor's own limit of 5 s, so that silence is reported as what it is. */
const LIMIT_MS = 4_000;
/** Fewer sessions than these until the daily reset: something makes the bot connect over and over. */
const FEW_SESSIONS = 50;

/** What doctor asks about Discord: over REST, without connecting the bot. */
export function discordChecks({ api, token, messageContent }: DiscordChecksDeps): Check[] {
  const offline = token === undefined;
  const ask = (question: (access: DiscordAccess) => Promise<Finding>, withoutToken: Finding) => {
    return async (signal: AbortSignal) => {
      if (offline) return withoutToken;
      return await question({ api, token, signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]) });
    };
  };
  return [
    { code: "discord.token", title: "Discord accepts the bot token", offline, run: ask(checkToken, off) },
    { code: "discord.server", title: "The bot is in a server", offline, run: ask(checkServer, later) },
    {
      code: "discord.sessions",
      title: "Discord lets the bot connect",
      offline,
      run: ask(checkSessions, later),
    },
    {
      code: "discord.message_content",
      title: "The bot may read all messages where it is asked to",
      offline: offline || !messageContent,
      run: messageContent ? ask(checkContent, later) : async () => notAsked,
    },
  ];
}

const off: Finding = {
  severity: "warn",
  detail: "No bot token is set, so Discord is off.",
  fix: "Make a bot on https://discord.com/developers/applications and put its token into discord.token or $DISCORD_TOKEN.",
};

const later: Finding = { severity: "skip", detail: "Known once discord.token is ok." };

async function checkToken(access: DiscordAccess): Promise<Finding> {
  try {
    const { name, id } = await askUser(access);
    return { severity: "ok", detail: `The token belongs to ${name} (${id}).` };
  } catch (error) {
    if (!isWisError(error)) throw error;
    const { say, hint } = error;
    return { severity: "fail", detail: say, ...(hint !== undefined && { fix: hint }) };
  }
}

async function checkServer(access: DiscordAccess): Promise<Finding> {
  try {
    const { servers, inviteUrl } = await askApplication(access);
    if (servers === undefined) return unsaid;
    if (servers === 0)
      return { severity: "warn", detail: "The bot is in no server yet.", fix: `Open ${inviteUrl}` };
    return { severity: "ok", detail: `In ${servers} ${servers === 1 ? "server" : "servers"}.` };
  } catch (error) {
    return unanswered(error);
  }
}

async function checkSessions(access: DiscordAccess): Promise<Finding> {
  try {
    const left = await askSessions(access);
    const detail = `${left} sessions left until Discord's daily reset.`;
    if (left >= FEW_SESSIONS) return { severity: "ok", detail };
    const fix = "Look in the log for what makes the bot connect so often; at 0 it waits for the reset.";
    return { severity: left > 0 ? "warn" : "fail", detail, fix };
  } catch (error) {
    return unanswered(error);
  }
}

const notAsked: Finding = {
  severity: "skip",
  detail: "discord.message_content is off: only messages that mention or answer the bot are read.",
};

async function checkContent(access: DiscordAccess): Promise<Finding> {
  try {
    const { readsMessages } = await askApplication(access);
    if (readsMessages) return { severity: "ok", detail: "Message Content Intent is granted." };
    const { say: detail, hint: fix = "" } = contentRefused();
    return { severity: "fail", detail, fix };
  } catch (error) {
    return unanswered(error);
  }
}

const unsaid: Finding = { severity: "skip", detail: "Discord did not say." };

/** That Discord is away, or refuses the token, is for discord.token to report. */
function unanswered(error: unknown): Finding {
  if (isWisError(error, "discord.failed")) return unsaid;
  if (isWisError(error)) return later;
  throw error;
}
