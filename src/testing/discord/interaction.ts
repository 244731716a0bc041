import { randomBytes } from "node:crypto";
import { MessageFlags } from "discord-api-types/v10";
import type { UploadedFile } from "./cdn.ts";
import { refused } from "./error.ts";
import type { CallbackBody, MessageBody, ModalBody, Suggestion } from "./forms/message.ts";
import type { Message, MessageInteraction, Messages } from "./message.ts";
import { type Channel, hasBot, type Person, type World } from "./world.ts";

/** Discord voids an interaction that is not answered in time: https://discord.com/developers/docs/interactions/receiving-and-responding */
const FIRST_RESPONSE_MS = 3000;
const TOKEN_LIFE_MS = 15 * 60_000;

/** A first response that arrived, accepted or not. */
export interface FirstResponse {
  type: CallbackBody["type"];
  /** From sending the interaction to the arrival of the response's first byte, milliseconds. */
  latencyMs: number;
  ephemeral: boolean;
}

export interface Interaction {
  readonly id: string;
  readonly token: string;
  /** 2: a command, 3: a button, 4: an option that is being typed, 5: a form that was filled in. */
  readonly type: 2 | 3 | 4 | 5;
  readonly person: Person;
  readonly channel: Channel;
  /** Who installed the app: `"0"` a guild, `"1"` the person. */
  readonly owners: Record<string, string>;
  /** As it was typed, without the slash; undefined for a button. */
  readonly command: string | undefined;
  /** The message whose button was pressed, also to come to a form. */
  readonly source: Message | undefined;
  /** What showed the form that was filled in. */
  readonly trigger: Interaction | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When its token ends, milliseconds since the epoch. */
  expiresAt: number;
  /** On the monotonic clock. */
  readonly sentAt: number;
  response: FirstResponse | undefined;
  /** What @original stands for. */
  original: Message | undefined;
  /** The form that it was answered with. */
  form: ModalBody | undefined;
  choices: Suggestion[] | undefined;
  readonly followUps: Message[];
}

export interface NewInteraction {
  type: 2 | 3 | 4 | 5;
  person: Person;
  channel: Channel;
  /** Used as an app of the person's own account. */
  own: boolean;
  command?: string;
  source?: Message | undefined;
  trigger?: Interaction;
}

export function openInteraction(world: World, input: NewInteraction): Interaction {
  const { type, person, channel, own, command, source, trigger } = input;
  const guild = channel.guildId === null ? undefined : world.guilds.get(channel.guildId);
  const createdAt = world.now();
  const interaction: Interaction = {
    id: world.nextId(),
    token: randomBytes(96).toString("base64url"),
    type,
    person,
    channel,
    // In a direct message with the bot the guild's place says 0.
    owners: own || !hasBot(world, channel) ? { "1": person.id } : { "0": guild?.id ?? "0" },
    command,
    source,
    trigger,
    createdAt,
    expiresAt: createdAt + TOKEN_LIFE_MS,
    sentAt: performance.now(),
    response: undefined,
    original: undefined,
    form: undefined,
    choices: undefined,
    followUps: [],
  };
  world.interactions.set(interaction.token, interaction);
  return interaction;
}

/** Whether Discord has told the person that the app did not respond. */
export const isVoid = (world: World, { response, createdAt }: Interaction) =>
  response === undefined && world.now() - createdAt > FIRST_RESPONSE_MS;

/** The interaction behind a webhook token, for everything after the first response. */
export function openToken(world: World, applicationId: string, token: string): Interaction {
  const interaction = world.interactions.get(token);
  if (!interaction || applicationId !== world.applicationId) throw refused.unknownWebhook();
  if (world.now() > interaction.expiresAt) throw refused.tokenExpired();
  if (!interaction.response) throw refused.unknownWebhook();
  return interaction;
}

/** The reply behind `@original`, or a follow-up by id. */
export function messageOf(interaction: Interaction, id: string): Message {
  const { original, followUps } = interaction;
  const message =
    id === "@original"
      ? original
      : [original, ...followUps].find((one) => one !== undefined && one.id === id);
  if (!message || message.deleted) throw refused.unknownMessage();
  return message;
}

export interface Callback {
  id: string;
  token: string;
  body: CallbackBody;
  files: UploadedFile[];
  /** When its first byte arrived, on the monotonic clock. */
  arrivedAt: number;
}

export interface InteractionDeps {
  world: World;
  messages: Messages;
}

/** Takes the first response. Throws 10062 when it comes too late, 40060 when it is the second. */
export function respond({ world, messages }: InteractionDeps, callback: Callback): Interaction {
  const { id, token, body, files, arrivedAt } = callback;
  const interaction = world.interactions.get(token);
  if (!interaction || interaction.id !== id) throw refused.unknownInteraction();
  if (interaction.response) throw refused.acknowledged();
  if (isVoid(world, interaction)) throw refused.unknownInteraction();
  answer(messages, interaction, body, files);
  interaction.response = {
    type: body.type,
    latencyMs: arrivedAt - interaction.sentAt,
    ephemeral: ((interaction.original?.flags ?? 0) & MessageFlags.Ephemeral) !== 0,
  };
  world.changes.emit("interaction");
  return interaction;
}

function answer(
  messages: Messages,
  interaction: Interaction,
  body: CallbackBody,
  files: UploadedFile[],
): void {
  const { source, type } = interaction;
  // Choices answer an option that is being typed and nothing else does; a form does not lead to a form.
  if ((body.type === 8) !== (type === 4) || (body.type === 9 && type === 5)) throw refused.wrongResponse();
  if (body.type === 8) {
    interaction.choices = body.data.choices;
    return;
  }
  if (body.type === 9) {
    interaction.form = body.data;
    return;
  }
  if (body.type === 4) {
    interaction.original = reply(messages, interaction, body.data, files, 0);
    return;
  }
  if (body.type === 5) {
    const flags = MessageFlags.Loading | ((body.data?.flags ?? 0) & MessageFlags.Ephemeral);
    interaction.original = reply(messages, interaction, {}, [], flags);
    return;
  }
  // Only a button has a message to update.
  if (!source) throw refused.unknownMessage();
  interaction.original = source;
  if (body.type === 7) messages.edit(source, body.data, files);
}

function reply(
  messages: Messages,
  interaction: Interaction,
  body: MessageBody,
  files: UploadedFile[],
  flags: number,
): Message {
  const { source, channel } = interaction;
  return messages.create({
    channel,
    body,
    files,
    flags,
    interaction: metadataOf(interaction),
    ...(source && { replyTo: source.id }),
  });
}

function metadataOf({ id, type, person, owners, command, source, trigger }: Interaction): MessageInteraction {
  return {
    id,
    type,
    personId: person.id,
    owners,
    ...(command !== undefined && { command }),
    ...(source && { messageId: source.id }),
    ...(trigger && { trigger: metadataOf(trigger) }),
  };
}

/** One more message. The first one after a defer fills the deferred reply instead, and stays as ephemeral as that. */
export function followUp(
  { messages }: InteractionDeps,
  interaction: Interaction,
  body: MessageBody,
  files: UploadedFile[],
): Message {
  const { original } = interaction;
  if (original && !original.deleted && original.flags & MessageFlags.Loading) {
    const { flags: _flags, ...rest } = body;
    messages.edit(original, rest, files);
    return original;
  }
  const message = reply(messages, interaction, body, files, 0);
  interaction.followUps.push(message);
  return message;
}
