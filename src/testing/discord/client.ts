import {
  ComponentType,
  GatewayIntentBits,
  ApplicationCommandOptionType as OptionType,
} from "discord-api-types/v10";
import type { Cdn, CdnTrouble } from "./cdn.ts";
import type { WaitOptions } from "./changes.ts";
import { findCommand, type OfferedCommand, offeredCommands } from "./commands.ts";
import { createFormClient, type FormClient } from "./form-client.ts";
import type { CommandOption } from "./forms/command.ts";
import type { ModalBody } from "./forms/message.ts";
import type { GatewayServer } from "./gateway.ts";
import { type FirstResponse, type Interaction, isVoid, openInteraction } from "./interaction.ts";
import type { Messages } from "./message.ts";
import { askerPayload, channelPayload, messagePayload } from "./payloads.ts";
import { type ShownMessage, shown, visibleTo } from "./shown.ts";
import {
  byName,
  type Channel,
  directChannel,
  fileLimitIn,
  type Person,
  permissionsIn,
  privateChannel,
  type World,
} from "./world.ts";
import { createWritingClient, type WritingClient } from "./writing-client.ts";

/** A file that somebody attaches in Discord. */
export interface AttachedFile {
  name: string;
  bytes: Uint8Array;
  /** Default application/octet-stream. */
  contentType?: string;
  /** What Discord says of its size; the truth unless said. */
  size?: number;
  /** What Discord says of its address; its CDN's unless said. */
  url?: string;
  /** How the CDN misbehaves with it. */
  trouble?: CdnTrouble;
}

export type OptionValue = string | number | boolean | AttachedFile;

export interface Invocation {
  /** Name or id. Default: the first person. */
  user?: string;
  /** Name or id; `dm`: the direct message with the bot, `private`: one with others. Default: the first channel. */
  channel?: string;
  /** As one types it, without the slash: `wis upload`. */
  command: string;
  options?: Record<string, OptionValue>;
  /** Used as an app of the person's own account. */
  own?: boolean;
}

export interface Press {
  user?: string;
  message: Pick<ShownMessage, "id">;
  /** A label or a custom id. */
  button: string;
}

/** One interaction from its person's side. */
export interface Asked {
  readonly id: string;
  readonly token: string;
  /** Waits for the first response. */
  response(options?: WaitOptions): Promise<FirstResponse>;
  /** From sending to the first response, milliseconds; undefined until it came. */
  readonly latencyMs: number | undefined;
  /** "The application did not respond": three seconds went by. */
  readonly failed: boolean;
  /** The form that it was answered with. */
  readonly form: ModalBody | undefined;
  /** The reply as it stands; undefined before it came and after it was deleted. */
  message(): ShownMessage | undefined;
  /** Reply and follow-ups that still stand, in order. */
  messages(): ShownMessage[];
  /** Waits until the reply or a follow-up is as wanted, and gives it. */
  waitFor(wanted: (message: ShownMessage) => boolean, options?: WaitOptions): Promise<ShownMessage>;
}

/** What people do in Discord. */
export interface Client extends FormClient, WritingClient {
  /** Runs a command. Throws when Discord would not offer or send it. */
  invoke(invocation: Invocation): Asked;
  /** What Discord offers to type in a channel. */
  commands(place?: { channel?: string; user?: string }): OfferedCommand[];
  /** Presses a button. Throws when the person can't. */
  press(press: Press): Asked;
}

export interface ClientDeps {
  world: World;
  cdn: Cdn;
  messages: Messages;
  gateway: GatewayServer;
}

export function createClient({ world, cdn, messages, gateway }: ClientDeps): Client {
  const people = () => [...world.people.values()].filter(({ bot }) => !bot);
  const personOf = (name: string | undefined) => pick(people(), name);

  function channelOf(name: string | undefined, person: Person | undefined): Channel {
    if (name === "dm" && person) return directChannel(world, person.id);
    if (name === "private" && person) return privateChannel(world, person.id);
    return pick(world.channels.values(), name);
  }

  function send(interaction: Interaction, data: object): Asked {
    const { id, token, type, person, channel, owners, source } = interaction;
    const guild = channel.guildId === null ? undefined : world.guilds.get(channel.guildId);
    gateway.dispatch("INTERACTION_CREATE", () => ({
      id,
      application_id: world.applicationId,
      type,
      token,
      version: 1,
      data,
      channel_id: channel.id,
      channel: {
        ...channelPayload(world, channel),
        permissions: permissionsIn(world, channel, person.id).toString(),
      },
      ...(guild && {
        guild_id: guild.id,
        guild: { id: guild.id, locale: "en-US", features: [] },
        guild_locale: "en-US",
      }),
      ...askerPayload(world, channel, person),
      ...(source && { message: messagePayload(world, source) }),
      app_permissions: permissionsIn(world, channel, world.bot.id).toString(),
      locale: "en-US",
      entitlements: [],
      authorizing_integration_owners: owners,
      context: guild ? 0 : channel.private ? 2 : 1,
      attachment_size_limit: fileLimitIn(world, channel, person.id),
    }));
    return follow(world, interaction);
  }

  function attach(channel: Channel, file: AttachedFile) {
    const { name, bytes, contentType = "application/octet-stream", trouble } = file;
    const id = world.nextId();
    const path = `${channel.id}/${id}/${encodeURIComponent(name)}`;
    const url = file.url ?? cdn.put({ path, contentType, bytes, trouble });
    const size = file.size ?? bytes.byteLength;
    return { id, filename: name, size, url, proxy_url: url, content_type: contentType, ephemeral: true };
  }

  function invoke({ user, channel: place, command: path, options = {}, own = false }: Invocation): Asked {
    const person = personOf(user);
    const channel = channelOf(place, person);
    const { command, subcommand, options: known } = findCommand(world, path, channel.guildId);
    checkOptions(path, known, options);
    const attachments: Record<string, object> = {};
    const values = known.flatMap((option) => {
      const value = options[option.name];
      if (value === undefined) return [];
      if (typeof value !== "object") return { name: option.name, type: option.type, value };
      const attachment = attach(channel, value);
      attachments[attachment.id] = attachment;
      return { name: option.name, type: option.type, value: attachment.id };
    });
    const interaction = openInteraction(world, { type: 2, person, channel, own, command: path });
    return send(interaction, {
      id: command.id,
      name: command.body.name,
      type: 1,
      ...(command.guildId !== null && { guild_id: command.guildId }),
      options: subcommand ? [{ name: subcommand, type: OptionType.Subcommand, options: values }] : values,
      ...(Object.keys(attachments).length > 0 && { resolved: { attachments } }),
    });
  }

  function press({ user, message: { id }, button: wanted }: Press): Asked {
    const person = personOf(user);
    const message = world.messages.get(id);
    const channel = message && world.channels.get(message.channelId);
    if (!message || !channel || !visibleTo(message, person.id))
      throw new Error(`${person.name} sees no such message.`);
    const { buttons } = shown(message);
    const button = buttons.find(({ label, customId }) => label === wanted || customId === wanted);
    if (!button?.customId || button.disabled) {
      const known = buttons.map(({ label, disabled }) => `${label}${disabled ? " (disabled)" : ""}`);
      throw new Error(`No button ${wanted} to press, only: ${known.join(", ") || "none"}.`);
    }
    const own = message.interaction?.owners["1"] !== undefined;
    const interaction = openInteraction(world, { type: 3, person, channel, own, source: message });
    return send(interaction, { custom_id: button.customId, component_type: ComponentType.Button, id: 1 });
  }

  return {
    invoke,
    commands({ channel, user } = {}) {
      return offeredCommands(world, channelOf(channel, personOf(user)).guildId);
    },
    press,
    ...createFormClient({ world, personOf, channelOf, send }),
    ...createWritingClient({ world, messages, personOf, channelOf, send }),
  };
}

function follow(world: World, interaction: Interaction): Asked {
  const standing = () =>
    [interaction.original, ...interaction.followUps].flatMap((one) => (one && !one.deleted ? one : []));
  return {
    id: interaction.id,
    token: interaction.token,
    get latencyMs() {
      return interaction.response?.latencyMs;
    },
    get failed() {
      return isVoid(world, interaction);
    },
    get form() {
      return interaction.form;
    },
    response: (options) => world.changes.until("the first response", () => interaction.response, options),
    message() {
      const { original } = interaction;
      return original && !original.deleted ? shown(original) : undefined;
    },
    messages: () => standing().map(shown),
    waitFor(wanted, options) {
      const probe = () => standing().map(shown).find(wanted);
      const texts = () => standing().map(({ content, embeds }) => ({ content, embeds }));
      return world.changes.until("the reply", probe, { seen: texts, ...options });
    },
  };
}

function pick<T extends { id: string; name: string }>(all: Iterable<T>, name: string | undefined): T {
  if (name !== undefined) return byName(all, name);
  const [first] = all;
  if (!first) throw new Error("There is nobody and nothing here.");
  return first;
}

const TYPES: Partial<Record<OptionType, string>> = {
  [OptionType.String]: "string",
  [OptionType.Boolean]: "boolean",
  [OptionType.Integer]: "number",
  [OptionType.Number]: "number",
  [OptionType.Attachment]: "object",
};

/** Throws when Discord's client would not let these options be sent. */
function checkOptions(path: string, known: CommandOption[], given: Record<string, OptionValue>): void {
  const wrong = Object.keys(given).filter((name) => !known.some((option) => option.name === name));
  if (wrong.length > 0) throw new Error(`/${path} has no option ${wrong.join(", ")}.`);
  for (const option of known) {
    const value = given[option.name];
    if (value === undefined) {
      if (option.required) throw new Error(`/${path} needs the option ${option.name}.`);
      continue;
    }
    if (typeof value !== TYPES[option.type])
      throw new Error(`/${path}: ${option.name} takes a ${TYPES[option.type]}.`);
    if (typeof value !== "string") continue;
    const { min_length, max_length, choices } = option;
    const fits = value.length >= (min_length ?? 0) && value.length <= (max_length ?? 6000);
    const chosen = !choices?.length || choices.some((choice) => choice.value === value);
    if (!fits || !chosen) throw new Error(`/${path}: ${option.name} does not take this text.`);
  }
}

/** Which gateway intent brings a message's events. */
export const messageIntent = ({ guildId }: Channel) =>
  guildId === null ? GatewayIntentBits.DirectMessages : GatewayIntentBits.GuildMessages;
