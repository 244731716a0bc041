import { WisError } from "../errors.ts";

// How Discord says no to the bot as a whole. Free of discord.js: init and doctor say these too, without loading it.

export function tokenRefused(cause?: unknown): WisError {
  return new WisError("discord.token_refused", {
    say: "Discord refused the bot token.",
    hint: "Reset the token under Bot on https://discord.com/developers/applications and put the new one in discord.token or $DISCORD_TOKEN.",
    cause,
  });
}

export function intentsRefused(cause?: unknown): WisError {
  return new WisError("discord.intents_refused", {
    say: "Discord refused the intents that the bot asks for.",
    hint: "WisBot needs no privileged intent: check under Bot on https://discord.com/developers/applications that the application is neither disabled nor restricted.",
    cause,
  });
}

export function contentRefused(cause?: unknown): WisError {
  return new WisError("discord.intents_refused", {
    say: "Discord does not let the bot read all messages, as discord.message_content asks.",
    hint: "Switch on Message Content Intent under Bot on https://discord.com/developers/applications, or set discord.message_content to false.",
    cause,
  });
}

export function unreachable(cause?: unknown): WisError {
  return new WisError("discord.unreachable", {
    say: "Discord can't be reached.",
    hint: "Check the network, discord.api and https://discordstatus.com; WisBot keeps trying.",
    cause,
  });
}
