import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Now } from "../../lib/clock.ts";
import type { Changes } from "./changes.ts";
import type { Command } from "./commands.ts";
import type { Interaction } from "./interaction.ts";
import type { Message } from "./message.ts";
import { createSnowflakes } from "./snowflake.ts";

export interface Person {
  id: string;
  /** The username, and what tests call it by. */
  name: string;
  displayName: string;
  bot: boolean;
  /** False: the bot's direct messages are refused with 50007. */
  dmsOpen: boolean;
  /** The largest file that they may post anywhere, bytes: Nitro raises it. */
  fileLimit: number;
}

export interface Role {
  id: string;
  name: string;
  permissions: bigint;
  mentionable: boolean;
}

export interface Guild {
  id: string;
  name: string;
  ownerId: string;
  /** False: people use the bot there only as an app of their own account. */
  hasBot: boolean;
  /** The first is @everyone, which has the guild's id. */
  roles: Role[];
  /** Role ids by person id. */
  members: Map<string, string[]>;
  /** The largest file that anybody may post there, bytes: boosts raise it. */
  fileLimit: number;
}

export interface Channel {
  id: string;
  name: string;
  /** Null for a direct message. */
  guildId: string | null;
  /** The person on the other side of a direct message. */
  recipientId: string | null;
  /** What the bot may not do there, as a permission overwrite. */
  denied: bigint;
  thread?: Thread;
  /** Between people, without the bot: reached only as an app of one of them. */
  private?: boolean;
}

export interface Thread {
  parentId: string;
  ownerId: string;
  archived: boolean;
}

export interface PersonInput {
  name: string;
  displayName?: string;
  /** Has Manage Messages in every guild. */
  moderator?: boolean;
  /** Names of roles; those of a guild that it has. */
  roles?: string[];
  /** Takes direct messages from the bot. Default true. */
  dmsOpen?: boolean;
}

export interface GuildInput {
  name: string;
  /** Default true. */
  hasBot?: boolean;
  /** Beside @everyone and Moderators; they permit nothing more. */
  roles?: string[];
  channels: { name: string; denied?: bigint }[];
}

export interface WorldOptions {
  people?: PersonInput[];
  guilds?: GuildInput[];
}

/** What Discord remembers. */
export interface World {
  readonly now: Now;
  readonly changes: Changes;
  readonly nextId: () => string;
  readonly bot: Person;
  /** Also the bot's user id, as with every application of recent years. */
  readonly applicationId: string;
  readonly people: Map<string, Person>;
  readonly guilds: Map<string, Guild>;
  readonly channels: Map<string, Channel>;
  readonly messages: Map<string, Message>;
  readonly commands: Map<string, Command>;
  /** By interaction token. */
  readonly interactions: Map<string, Interaction>;
}

const MEMBER_PERMISSIONS =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.SendMessagesInThreads |
  PermissionFlagsBits.CreatePublicThreads |
  PermissionFlagsBits.EmbedLinks |
  PermissionFlagsBits.AttachFiles |
  PermissionFlagsBits.ReadMessageHistory |
  PermissionFlagsBits.UseApplicationCommands |
  PermissionFlagsBits.AddReactions;

const MODERATOR_PERMISSIONS = PermissionFlagsBits.ManageMessages | PermissionFlagsBits.KickMembers;

/** Bits of a direct message, as far as a bot is concerned. */
const DM_PERMISSIONS = MEMBER_PERMISSIONS | PermissionFlagsBits.MentionEveryone;

const MODERATORS = "Moderators";

/** Discord's default: https://discord.com/developers/docs/reference#uploading-files */
const FILE_LIMIT = 10 * 1024 * 1024;

const DEFAULT_PEOPLE: PersonInput[] = [
  { name: "ada", displayName: "Ada" },
  { name: "ben", displayName: "Ben" },
  { name: "mia", displayName: "Mia", moderator: true },
];

const DEFAULT_GUILDS: GuildInput[] = [
  {
    name: "Wis Lab",
    roles: ["Patrons"],
    channels: [{ name: "general" }, { name: "quiet", denied: PermissionFlagsBits.SendMessages }],
  },
];

/** Two members and a moderator in a guild with a role Patrons that nobody has, with #general, and #quiet where the bot may not post, unless told otherwise. */
export function createWorld({ now, changes }: Pick<World, "now" | "changes">, options: WorldOptions): World {
  const { people = DEFAULT_PEOPLE, guilds = DEFAULT_GUILDS } = options;
  const nextId = createSnowflakes(now);
  const applicationId = nextId();
  const bot: Person = {
    id: applicationId,
    name: "wisbot",
    displayName: "WisBot",
    bot: true,
    dmsOpen: false,
    fileLimit: FILE_LIMIT,
  };
  const world: World = {
    now,
    changes,
    nextId,
    bot,
    applicationId,
    people: new Map([[bot.id, bot]]),
    guilds: new Map(),
    channels: new Map(),
    messages: new Map(),
    commands: new Map(),
    interactions: new Map(),
  };
  for (const { name, displayName = name, dmsOpen = true } of people) {
    const id = nextId();
    world.people.set(id, { id, name, displayName, bot: false, dmsOpen, fileLimit: FILE_LIMIT });
  }
  const held = new Map(
    people.map(({ name, moderator, roles = [] }) => [name, [...roles, ...(moderator ? [MODERATORS] : [])]]),
  );
  for (const guild of guilds) addGuild(world, guild, held);
  return world;
}

/** `held`: names of roles by username. */
function addGuild(world: World, input: GuildInput, held: Map<string, string[]>): void {
  const id = world.nextId();
  const role = (name: string, permissions: bigint) => ({
    id: world.nextId(),
    name,
    permissions,
    mentionable: true,
  });
  const named = [
    role(MODERATORS, MODERATOR_PERMISSIONS),
    ...(input.roles ?? []).map((name) => role(name, 0n)),
  ];
  const rolesOf = ({ name }: Person) => named.filter((one) => held.get(name)?.includes(one.name));
  const people = [...world.people.values()].filter(({ bot }) => !bot);
  const guild: Guild = {
    id,
    name: input.name,
    ownerId: world.nextId(),
    hasBot: input.hasBot ?? true,
    roles: [{ id, name: "@everyone", permissions: MEMBER_PERMISSIONS, mentionable: false }, ...named],
    members: new Map(people.map((person) => [person.id, rolesOf(person).map(({ id }) => id)])),
    fileLimit: FILE_LIMIT,
  };
  if (guild.hasBot) guild.members.set(world.bot.id, []);
  world.guilds.set(id, guild);
  for (const { name, denied = 0n } of input.channels) {
    const channel = { id: world.nextId(), name, guildId: id, recipientId: null, denied };
    world.channels.set(channel.id, channel);
  }
}

/** The one in `all` with this name or id. Throws and lists the names: a test meant somebody else. */
export function byName<T extends { id: string; name: string }>(all: Iterable<T>, name: string): T {
  const known = [...all];
  const found = known.find((one) => one.id === name || one.name === name);
  if (!found)
    throw new Error(`Nothing is called ${name} here, only ${known.map((one) => one.name).join(", ")}.`);
  return found;
}

/** The direct message channel between the bot and a person; made when there is none. */
export function directChannel(world: World, personId: string): Channel {
  const known = [...world.channels.values()].find(({ recipientId }) => recipientId === personId);
  if (known) return known;
  const name = `@${world.people.get(personId)?.name}`;
  const channel = { id: world.nextId(), name, guildId: null, recipientId: personId, denied: 0n };
  world.channels.set(channel.id, channel);
  return channel;
}

/** A channel between a person and others, where the bot is not; made when there is none. */
export function privateChannel(world: World, personId: string): Channel {
  const name = `${world.people.get(personId)?.name} and others`;
  const known = [...world.channels.values()].find((one) => one.private && one.name === name);
  if (known) return known;
  const id = world.nextId();
  const channel = { id, name, guildId: null, recipientId: null, denied: 0n, private: true };
  world.channels.set(id, channel);
  return channel;
}

/** Whether the bot hears of what happens there. */
export function hasBot(world: World, { guildId, private: isPrivate }: Channel): boolean {
  if (guildId === null) return !isPrivate;
  return world.guilds.get(guildId)?.hasBot === true;
}

/** What somebody may do in a channel. Nothing at all where they are not a member. */
export function permissionsIn(world: World, channel: Channel, personId: string): bigint {
  if (channel.private) return personId === world.bot.id ? 0n : DM_PERMISSIONS;
  if (channel.guildId === null)
    return personId === world.bot.id || personId === channel.recipientId ? DM_PERMISSIONS : 0n;
  const guild = world.guilds.get(channel.guildId);
  const roles = guild?.members.get(personId);
  if (!guild || !roles) return 0n;
  const held = guild.roles.filter(({ id }) => id === guild.id || roles.includes(id));
  const granted = held.reduce((sum, { permissions }) => sum | permissions, 0n);
  return personId === world.bot.id ? granted & ~channel.denied : granted;
}

/** The largest file that goes into a channel, bytes; a person's own limit counts for what they ask the bot for. */
export function fileLimitIn(world: World, channel: Channel, personId = world.bot.id): number {
  const guild = channel.guildId === null ? undefined : world.guilds.get(channel.guildId);
  const person = world.people.get(personId);
  return Math.max(guild?.fileLimit ?? 0, person?.fileLimit ?? 0);
}
