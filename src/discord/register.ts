import { isDeepStrictEqual } from "node:util";
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type REST,
  type RESTPostAPIApplicationCommandsJSONBody,
  Routes,
} from "discord.js";
import type { Command, MessageCommand } from "./commands/command.ts";
import { fromDiscord } from "./errors.ts";

export interface RegisterDeps {
  rest: REST;
  commands: readonly Command[];
  messageCommands: readonly MessageCommand[];
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

type Wanted = RESTPostAPIApplicationCommandsJSONBody;
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
  const { rest, commands, messageCommands } = deps;
  const { applicationId, guildIds } = input;
  const wanted = [wis(commands), ...messageCommands.map(({ name }) => inMenu(name))];
  try {
    const global = Routes.applicationCommands(applicationId);
    if (guildIds.length === 0)
      return { written: await write(rest, global, wanted.map(everywhere)), removed: 0 };
    let written = 0;
    for (const guildId of guildIds) {
      written += await write(rest, Routes.applicationGuildCommands(applicationId, guildId), wanted);
    }
    // Left from before guild_ids was set, they would stand in those guilds' menus a second time.
    return { written, removed: await remove(rest, global, wanted) };
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

/** An entry of every message's menu, under Apps. */
function inMenu(name: string): Wanted {
  return { type: ApplicationCommandType.Message, name };
}

/**
 * In servers, in messages to the bot and, for whoever installs it for themselves, everywhere else. Only global commands
 * have contexts: a guild's are the guild's.
 */
function everywhere(wanted: Wanted): Wanted {
  return {
    ...wanted,
    integration_types: [ApplicationIntegrationType.GuildInstall, ApplicationIntegrationType.UserInstall],
    contexts: [
      InteractionContextType.Guild,
      InteractionContextType.BotDM,
      InteractionContextType.PrivateChannel,
    ],
  };
}

async function write(rest: REST, path: Path, all: readonly Wanted[]): Promise<number> {
  let written = 0;
  for (const { existing, wanted } of await compare(rest, path, all)) {
    if (existing && says(existing, wanted)) continue;
    if (existing) await rest.patch(`${path}/${existing.id}`, { body: wanted });
    else await rest.post(path, { body: wanted });
    written += 1;
  }
  return written;
}

async function remove(rest: REST, path: Path, all: readonly Wanted[]): Promise<number> {
  const found = (await compare(rest, path, all)).flatMap(({ existing }) => existing ?? []);
  for (const { id } of found) await rest.delete(`${path}/${id}`);
  return found.length;
}

/** What Discord has beside what it is to have: a command is known by its type and name. */
async function compare(rest: REST, path: Path, all: readonly Wanted[]) {
  const existing = (await rest.get(path)) as Existing[];
  return all.map((wanted) => ({
    wanted,
    existing: existing.find(({ name, type }) => name === wanted.name && type === wanted.type),
  }));
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
