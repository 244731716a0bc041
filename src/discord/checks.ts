import type { Check, Finding } from "../doctor/ports.ts";
import { toWisError } from "../errors.ts";
import { type BotDescription, describeBot } from "./describe.ts";

export interface DiscordChecksDeps {
  /** Base of the REST API, without the version. */
  api: string;
  /** Undefined: Discord is off. */
  token: string | undefined;
}

/** Fewer sessions than these until the daily reset: something makes the bot connect over and over. */
const FEW_SESSIONS = 50;

/** What doctor asks about Discord: over REST, without connecting the bot. */
export function discordChecks({ api, token }: DiscordChecksDeps): Check[] {
  // One token, one answer: the checks share it.
  let asked: Promise<BotDescription> | undefined;
  const check = (code: string, title: string, judge: (bot: BotDescription) => Finding): Check => ({
    code,
    title,
    offline: token === undefined,
    async run(signal) {
      if (token === undefined) return code === "discord.token" ? off : skipped;
      asked ??= describeBot({ api, token, signal });
      try {
        return judge(await asked);
      } catch (error) {
        return code === "discord.token" ? failed(error) : skipped;
      }
    },
  });
  return [
    check("discord.token", "Discord accepts the bot token", accepted),
    check("discord.server", "The bot is in a server", inServer),
    check("discord.sessions", "Discord lets the bot connect", sessions),
  ];
}

const off: Finding = {
  severity: "warn",
  detail: "No bot token is set, so Discord is off.",
  fix: "Make a bot on https://discord.com/developers/applications and put its token into discord.token or $DISCORD_TOKEN.",
};

const skipped: Finding = { severity: "skip", detail: "Known once discord.token is ok." };

function accepted({ name, id }: BotDescription): Finding {
  return { severity: "ok", detail: `The token belongs to ${name} (${id}).` };
}

function inServer({ servers, inviteUrl }: BotDescription): Finding {
  if (servers === undefined) return { severity: "skip", detail: "Discord did not say how many servers." };
  if (servers > 0)
    return { severity: "ok", detail: `In ${servers} ${servers === 1 ? "server" : "servers"}.` };
  return { severity: "warn", detail: "The bot is in no server yet.", fix: `Open ${inviteUrl}` };
}

function sessions({ sessionsLeft }: BotDescription): Finding {
  const detail = `${sessionsLeft} sessions left until Discord's daily reset.`;
  if (sessionsLeft >= FEW_SESSIONS) return { severity: "ok", detail };
  const fix = "Look in the log for what makes the bot connect so often; at 0 it waits for the reset.";
  return { severity: sessionsLeft > 0 ? "warn" : "fail", detail, fix };
}

function failed(error: unknown): Finding {
  const { say, hint } = toWisError(error);
  return { severity: "fail", detail: say, ...(hint && { fix: hint }) };
}
