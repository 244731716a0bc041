import { type APIMessageTopLevelComponent, MessageFlags } from "discord-api-types/v10";
import type { Cdn, UploadedFile } from "./cdn.ts";
import { refused } from "./error.ts";
import type { EmbedInput, MessageBody } from "./forms/message.ts";
import { asPings, mentionsIn } from "./pings.ts";
import { type Channel, fileLimitIn, type World } from "./world.ts";

export interface Attachment {
  id: string;
  filename: string;
  size: number;
  content_type: string;
  url: string;
  proxy_url: string;
  description?: string;
  bytes: Uint8Array;
}

/** Which interaction a message belongs to, for its metadata and for who may see it. */
export interface MessageInteraction {
  id: string;
  type: 2 | 3 | 4 | 5;
  personId: string;
  owners: Record<string, string>;
  /** As it was typed, without the slash; undefined for a button. */
  command?: string;
  /** The message whose button was pressed. */
  messageId?: string;
  /** What showed the form that it answers. */
  trigger?: MessageInteraction;
}

export interface Version {
  /** Milliseconds since the epoch. */
  at: number;
  content: string;
}

export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly authorId: string;
  readonly createdAt: number;
  readonly interaction: MessageInteraction | undefined;
  readonly replyTo: string | undefined;
  readonly nonce: string | number | undefined;
  content: string;
  embeds: (EmbedInput & { type: "rich" })[];
  components: APIMessageTopLevelComponent[];
  attachments: Attachment[];
  flags: number;
  mentioned: string[];
  mentionedRoles: string[];
  mentionsEveryone: boolean;
  editedAt: number | null;
  deleted: boolean;
  /** Everybody who was notified, by the first version or by an edit. */
  pings: string[];
  /** Every version in order, the first one included. */
  history: Version[];
}

export interface Draft {
  channel: Channel;
  /** The bot unless said. */
  authorId?: string;
  body: MessageBody;
  files: UploadedFile[];
  /** Set by Discord beyond those that the body asks for. */
  flags?: number;
  interaction?: MessageInteraction;
  replyTo?: string;
  nonce?: string | number;
}

export interface Messages {
  create(draft: Draft): Message;
  /** Changes only what the body names. */
  edit(message: Message, body: MessageBody, files: UploadedFile[]): void;
  /** Sets a flag that is Discord's own, and tells of it as of an edit. */
  flag(message: Message, flag: number): void;
  delete(message: Message): void;
}

/** Of all files together: https://discord.com/developers/docs/resources/message#create-message */
const REQUEST_LIMIT = 25 * 1024 * 1024;

export const isEphemeral = (message: Pick<Message, "flags">) =>
  (message.flags & MessageFlags.Ephemeral) !== 0;

export interface MessagesDeps {
  world: World;
  cdn: Cdn;
  /** Tells the bot's gateway sessions. */
  announce(event: "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE", message: Message): void;
}

/** Writes, changes and removes messages: the only place that does. */
export function createMessages({ world, cdn, announce }: MessagesDeps): Messages {
  function create(draft: Draft): Message {
    const { channel, authorId = world.bot.id, body, flags = 0, interaction, replyTo, nonce } = draft;
    const message: Message = {
      id: world.nextId(),
      channelId: channel.id,
      authorId,
      createdAt: world.now(),
      interaction,
      replyTo,
      nonce,
      content: "",
      embeds: [],
      components: [],
      attachments: [],
      flags: (body.flags ?? 0) | flags,
      mentioned: [],
      mentionedRoles: [],
      mentionsEveryone: false,
      editedAt: null,
      deleted: false,
      pings: [],
      history: [],
    };
    fill(message, body, draft.files);
    world.messages.set(message.id, message);
    announce("MESSAGE_CREATE", message);
    world.changes.emit("message");
    return message;
  }

  function fill(message: Message, body: MessageBody, files: UploadedFile[]): void {
    refuseTooLarge(message, files);
    const next = {
      content: body.content === undefined ? message.content : (body.content ?? ""),
      embeds:
        body.embeds === undefined
          ? message.embeds
          : (body.embeds ?? []).map((one) => ({ ...one, type: "rich" as const })),
      components: body.components === undefined ? message.components : numbered(body.components ?? []),
      attachments: [...kept(message, body), ...files.map((file) => store(message, body, file))],
    };
    const thinking = (message.flags & MessageFlags.Loading) !== 0;
    if (!thinking && isEmpty(next)) throw refused.empty();
    Object.assign(message, next);
    mention(message, body);
    message.history.push({ at: world.now(), content: message.content });
  }

  function refuseTooLarge({ channelId, interaction }: Message, files: UploadedFile[]): void {
    const channel = world.channels.get(channelId);
    if (!channel) throw refused.unknownChannel();
    const sizes = files.map(({ bytes }) => bytes.byteLength);
    const together = sizes.reduce((sum, size) => sum + size, 0);
    const limit = fileLimitIn(world, channel, interaction?.personId);
    if (Math.max(0, ...sizes) > limit || together > REQUEST_LIMIT) throw refused.tooLarge();
  }

  function mention(message: Message, body: MessageBody): void {
    const channel = world.channels.get(message.channelId);
    if (!channel) throw refused.unknownChannel();
    const found = mentionsIn(world, { ...message, channel }, body.allowed_mentions ?? undefined);
    const answered =
      message.replyTo === undefined ? undefined : world.messages.get(message.replyTo)?.authorId;
    const pingsAnswered = body.allowed_mentions ? body.allowed_mentions.replied_user === true : true;
    if (answered && pingsAnswered && !found.people.includes(answered)) found.people.push(answered);
    message.mentioned = found.people;
    message.mentionedRoles = found.roles;
    message.mentionsEveryone = found.everyone;
    message.pings = [...new Set([...message.pings, ...asPings(found)])];
  }

  function store(message: Message, body: MessageBody, file: UploadedFile): Attachment {
    const id = world.nextId();
    const said = body.attachments?.find((one) => Number(one.id) === file.index);
    const filename = said?.filename ?? file.name;
    const url = cdn.put({ path: `${message.channelId}/${id}/${encodeURIComponent(filename)}`, ...file });
    const { bytes, contentType: content_type } = file;
    const size = bytes.byteLength;
    const description = said?.description ?? undefined;
    return {
      id,
      filename,
      size,
      content_type,
      url,
      proxy_url: url,
      bytes,
      ...(description !== undefined && { description }),
    };
  }

  return {
    create,
    edit(message, body, files) {
      const wasThinking = (message.flags & MessageFlags.Loading) !== 0;
      const before = message.flags;
      message.flags = (message.flags | (body.flags ?? 0)) & ~MessageFlags.Loading;
      try {
        fill(message, body, files);
      } catch (error) {
        message.flags = before;
        throw error;
      }
      // The first edit of a deferred reply is its first text, not a change of it.
      if (!wasThinking) message.editedAt = world.now();
      announce("MESSAGE_UPDATE", message);
      world.changes.emit("message");
    },
    flag(message, flag) {
      message.flags |= flag;
      announce("MESSAGE_UPDATE", message);
    },
    delete(message) {
      message.deleted = true;
      announce("MESSAGE_DELETE", message);
      world.changes.emit("message");
    },
  };
}

/** The attachments that an edit leaves: all, unless it lists those that stay. */
function kept(message: Message, { attachments }: MessageBody): Attachment[] {
  if (!attachments) return attachments === null ? [] : message.attachments;
  const stay = new Set(attachments.map(({ id }) => String(id)));
  return message.attachments.filter(({ id }) => stay.has(id));
}

function isEmpty({
  content,
  embeds,
  components,
  attachments,
}: Pick<Message, "content" | "embeds" | "components" | "attachments">) {
  return content.trim() === "" && [embeds, components, attachments].every((list) => list.length === 0);
}

/** Discord numbers every component of a message. */
function numbered(components: NonNullable<MessageBody["components"]>): APIMessageTopLevelComponent[] {
  let count = 0;
  const withIds = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withIds);
    if (typeof value !== "object" || value === null) return value;
    const id = "type" in value ? { id: ++count } : {};
    return {
      ...id,
      ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withIds(inner)])),
    };
  };
  return withIds(components) as APIMessageTopLevelComponent[];
}
