import { isDeepStrictEqual } from "node:util";
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type REST,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
  Routes,
} from "discord.js";
import type { Command } from "./commands/command.ts";
import { fromDiscord } from "./errors.ts";

export interface RegisterDeps {
  rest: REST;
  commands: readonly Command[];
}

export interface RegisterInput {
  applicationId: string;
  /** Empty: globally. */
  guildIds: readonly string[];
}

export interface Registration {
  written: number;
  removed: number;
}

type Wanted = RESTPostAPIChatInputApplicationCommandsJSONBody;
type Path = `/${string}`;

/** A command as Discord has it. */
interface Existing {
  id: string;
  name: string;
  type: number;
}

/**
 * Brings the commands that Discord has in line with ours. Writes what differs and nothing else: Discord grants 200
 * creations a day, and a rewritten command drops out of people's menus for a while. Other commands are left alone.
 * Throws WisError discord.*.
 */
export async function registerCommands(deps: RegisterDeps, input: RegisterInput): Promise<Registration> {
  const { rest, commands } = deps;
  const { applicationId, guildIds } = input;
  try {
    const global = Routes.applicationCommands(applicationId);
    if (guildIds.length === 0)
      return { written: await write(rest, global, everywhere(commands)), removed: 0 };
    let written = 0;
    for (const guildId of guildIds) {
      written += await write(rest, Routes.applicationGuildCommands(applicationId, guildId), wis(commands));
    }
    // Left from before guild_ids was set, it would stand in those guilds' menus a second time.
    return { written, removed: await remove(rest, global) };
  } catch (error) {
    throw fromDiscord(error, "register the commands");
  }
}

/** The one command, with a subcommand each. */
function wis(commands: readonly Command[]): Wanted {
  return {
    type: ApplicationCommandType.ChatInput,
    name: "wis",
    description: "Your server's own AI and file desk",
    options: commands.map(({ name, description, options = [] }) => ({
      type: ApplicationCommandOptionType.Subcommand,
      name,
      description,
      options,
    })),
  };
}

/** Guild commands have no contexts, so only the global one names them: servers, and messages to the bot. */
function everywhere(commands: readonly Command[]): Wanted {
  return {
    ...wis(commands),
    integration_types: [ApplicationIntegrationType.GuildInstall],
    contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  };
}

async function write(rest: REST, path: Path, wanted: Wanted): Promise<number> {
  const existing = await ours(rest, path);
  if (!existing) await rest.post(path, { body: wanted });
  else if (!says(existing, wanted)) {
    await rest.patch(`${path}/${existing.id}`, { body: wanted });
  } else return 0;
  return 1;
}

async function remove(rest: REST, path: Path): Promise<number> {
  const existing = await ours(rest, path);
  if (!existing) return 0;
  await rest.delete(`${path}/${existing.id}`);
  return 1;
}

async function ours(rest: REST, path: Path): Promise<Existing | undefined> {
  const all = (await rest.get(path)) as Existing[];
  return all.find(({ name, type }) => name === "wis" && type === ApplicationCommandType.ChatInput);
}

/** True when a command is as wanted. What we don't say of it (id, version, contexts in a guild, …) Discord fills in. */
function says(existing: Existing, wanted: Wanted): boolean {
  const said = Object.entries(existing).filter(([key]) => key in wanted);
  return isDeepStrictEqual(essence(Object.fromEntries(said)), essence(wanted));
}

/** What is left of a value without what is as good as left out. */
function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => !isDefault(one));
  return Object.fromEntries(entries.map(([key, one]) => [key, essence(one)]));
}

function isDefault(value: unknown): boolean {
  return (
    value === null || value === undefined || value === false || (Array.isArray(value) && value.length === 0)
  );
}
