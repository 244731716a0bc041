import type { Config } from "../config/schema.ts";
import { toWisError } from "../errors.ts";
import { note, paint } from "./output.ts";

// What init asks the world: told, never a reason to stop.

const LIMIT_MS = 5_000;

const good = (text: string) => note(`${paint("green", "✓", "stderr")} ${text}`);

function bad(error: unknown): void {
  const { say, hint } = toWisError(error);
  note(`${paint("yellow", "!", "stderr")} ${say}${hint === undefined ? "" : ` ${hint}`}`);
}

/** What Discord said about a token. */
export type BotAnswer = { inviteUrl: string } | { refused: boolean };

/** Asks Discord whose token this is. */
export async function askDiscord(api: string, token: string): Promise<BotAnswer> {
  const { describeBot } = await import("../app.ts");
  try {
    const bot = await describeBot({ api, token, signal: AbortSignal.timeout(LIMIT_MS) });
    good(`Discord knows the bot as ${bot.name}.`);
    return { inviteUrl: bot.inviteUrl };
  } catch (error) {
    bad(error);
    return { refused: toWisError(error).code === "discord.token_refused" };
  }
}

/** The models that the Ollama at `url` has; undefined when it does not answer. */
export async function askOllama(host: Config["llm"]["hosts"][number]): Promise<string[] | undefined> {
  const { createHost } = await import("../app.ts");
  try {
    const models = await createHost(host).models(AbortSignal.timeout(LIMIT_MS));
    const names = models.map(({ name }) => name);
    good(`Ollama answers at ${host.url} and has ${names.length === 0 ? "no model yet" : names.join(", ")}.`);
    return names;
  } catch (error) {
    bad(error);
    return undefined;
  }
}
