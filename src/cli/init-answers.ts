import type { LoadedConfig } from "../config/loaded.ts";
import { OLLAMA_URL } from "../config/schema.ts";
import type { Setting } from "../config/write.ts";
import { askDiscord, askOllama, type BotAnswer } from "./init-live.ts";

/** What init asks for: all else keeps its default. Undefined and empty: the default. */
export interface Answers {
  token: string | undefined;
  guildIds: string[];
  ollamaUrl: string;
  model: string;
  publicUrl: string | undefined;
  port: number;
  /** Other values of `files`, as they were typed. */
  limits: Setting[];
  inviteUrl: string | undefined;
}

/** What flags, environment and defaults answer, checked live where something answers. */
export async function defaultAnswers({ config, discordToken: token }: LoadedConfig): Promise<Answers> {
  const { discord, llm, web } = config;
  const [host] = llm.hosts;
  const [bot] = await Promise.all([
    token === undefined ? undefined : askDiscord(discord.api, token),
    host && askOllama(host),
  ]);
  return {
    token,
    guildIds: discord.guild_ids,
    ollamaUrl: host?.url ?? OLLAMA_URL,
    model: llm.model,
    publicUrl: web.public_url,
    port: web.port,
    limits: [],
    inviteUrl: inviteFrom(bot),
  };
}

export function inviteFrom(bot: BotAnswer | undefined): string | undefined {
  return bot !== undefined && "inviteUrl" in bot ? bot.inviteUrl : undefined;
}

/** The answers as they are written: a default stays the template's, so that its comment stays true. */
export function settingsFrom(answers: Answers): Setting[] {
  const { token, guildIds, ollamaUrl, model, publicUrl, port, limits } = answers;
  return [
    ...(token === undefined ? [] : [{ path: ["discord", "token"], value: token }]),
    ...(guildIds.length === 0 ? [] : [{ path: ["discord", "guild_ids"], value: guildIds }]),
    ...(ollamaUrl === OLLAMA_URL ? [] : [{ path: ["llm", "hosts", 0, "url"], value: ollamaUrl }]),
    { path: ["llm", "model"], value: model },
    { path: ["web", "port"], value: port },
    ...(publicUrl === undefined ? [] : [{ path: ["web", "public_url"], value: publicUrl }]),
    ...limits,
  ];
}
