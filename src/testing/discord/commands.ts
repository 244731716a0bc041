import { ApplicationCommandOptionType as OptionType } from "discord-api-types/v10";
import { refused } from "./error.ts";
import { type CommandBody, type CommandEdit, type CommandOption, commandForm } from "./forms/command.ts";
import type { World } from "./world.ts";

export interface Command {
  id: string;
  /** Null: registered globally. */
  guildId: string | null;
  version: string;
  body: CommandBody;
}

export interface Commands {
  list(guildId: string | null): Command[];
  /** Registers, or overwrites the one of that name. Gives whether it is new. */
  put(body: CommandBody, guildId: string | null): { command: Command; created: boolean };
  find(id: string, guildId: string | null): Command;
  edit(id: string, guildId: string | null, changes: CommandEdit): Command;
  delete(id: string, guildId: string | null): void;
  /** Replaces all of them; those that keep their name keep their id. */
  set(bodies: CommandBody[], guildId: string | null): Command[];
}

export function createCommands(world: World): Commands {
  const { commands, nextId, changes } = world;

  const list = (guildId: string | null) => [...commands.values()].filter((one) => one.guildId === guildId);

  function write(command: Command): Command {
    commands.set(command.id, command);
    changes.emit("command");
    return command;
  }

  function put(body: CommandBody, guildId: string | null) {
    const known = list(guildId).find((one) => isSame(one.body, body));
    const id = known?.id ?? nextId();
    const unchanged = known && JSON.stringify(known.body) === JSON.stringify(body);
    const version = unchanged ? known.version : nextId();
    return { command: write({ id, guildId, version, body }), created: known === undefined };
  }

  function find(id: string, guildId: string | null): Command {
    const command = commands.get(id);
    if (!command || command.guildId !== guildId) throw refused.unknownCommand();
    return command;
  }

  function remove(id: string, guildId: string | null): void {
    commands.delete(find(id, guildId).id);
    changes.emit("command");
  }

  return {
    list,
    put,
    find,
    edit(id, guildId, edits) {
      const command = find(id, guildId);
      return write({ ...command, version: nextId(), body: commandForm.parse({ ...command.body, ...edits }) });
    },
    delete: remove,
    set(bodies, guildId) {
      for (const { id, body } of list(guildId))
        if (!bodies.some((one) => isSame(one, body))) remove(id, guildId);
      return bodies.map((body) => put(body, guildId).command);
    },
  };
}

/** A typed command and one in a menu may share a name. */
const isSame = (one: CommandBody, other: CommandBody) =>
  one.name === other.name && (one.type ?? 1) === (other.type ?? 1);

export function commandPayload({ applicationId }: World, { id, guildId, version, body }: Command) {
  return {
    id,
    application_id: applicationId,
    ...(guildId !== null && { guild_id: guildId }),
    version,
    type: body.type ?? 1,
    name: body.name,
    name_localizations: body.name_localizations ?? null,
    description: body.description ?? "",
    description_localizations: body.description_localizations ?? null,
    options: (body.options ?? []).map(optionPayload),
    default_member_permissions: body.default_member_permissions ?? null,
    contexts: body.contexts ?? (guildId === null ? null : [0]),
    integration_types: body.integration_types ?? [0],
    nsfw: body.nsfw ?? false,
    ...(guildId === null && { dm_permission: body.dm_permission ?? true }),
  };
}

type AnyOption = NonNullable<CommandBody["options"]>[number];

/** Discord leaves out what is not set, `required: false` included. */
function optionPayload(option: AnyOption): object {
  const { required, ...rest } = option;
  const set = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  const inner = "options" in option && option.options ? { options: option.options.map(optionPayload) } : {};
  return { ...Object.fromEntries(set), ...(required && { required }), ...inner };
}

/** A command as people type it, `wis upload`. */
export interface OfferedCommand {
  path: string;
  command: Command;
  subcommand: string | undefined;
  description: string;
  options: CommandOption[];
}

/** What Discord's client offers in a guild, or in a direct message. */
export function offeredCommands(world: World, guildId: string | null): OfferedCommand[] {
  return registered(world, guildId)
    .filter(({ body }) => (body.type ?? 1) === 1)
    .flatMap(paths);
}

/** The entry of a message's menu. Throws when Discord's client would not offer it there. */
export function menuCommand(world: World, name: string, guildId: string | null): Command {
  const found = registered(world, guildId).find(({ body }) => body.type === 3 && body.name === name);
  if (!found) throw new Error(`Discord would not offer "${name}" in a message's menu here.`);
  return found;
}

/** Where the bot is not, only what people may install for themselves. */
function registered(world: World, guildId: string | null): Command[] {
  const isAlone = guildId !== null && world.guilds.get(guildId)?.hasBot === false;
  return [...world.commands.values()].filter(
    (one) =>
      (one.guildId === null || one.guildId === guildId) &&
      (!isAlone || one.body.integration_types?.includes(1) === true),
  );
}

function paths(command: Command): OfferedCommand[] {
  const { name, options = [] } = command.body;
  const description = command.body.description ?? "";
  const subcommands = (options ?? []).flatMap((one) => (one.type === OptionType.Subcommand ? one : []));
  if (subcommands.length === 0)
    return [
      { path: name, command, subcommand: undefined, description, options: (options ?? []).filter(isValue) },
    ];
  return subcommands.map((one) => ({
    path: `${name} ${one.name}`,
    command,
    subcommand: one.name,
    description: one.description,
    options: one.options ?? [],
  }));
}

/** Throws when Discord's client would not offer it there. */
export function findCommand(world: World, path: string, guildId: string | null): OfferedCommand {
  const offered = offeredCommands(world, guildId);
  const found = offered.find((one) => one.path === path);
  if (found) return found;
  const known = offered.map((one) => one.path).join(", ") || "nothing";
  throw new Error(`Discord would not offer /${path} here, only: ${known}.`);
}

const isValue = (option: AnyOption): option is CommandOption =>
  option.type !== OptionType.Subcommand && option.type !== OptionType.SubcommandGroup;
