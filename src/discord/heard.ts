import { type GatewayMessageCreateDispatchData, MessageReferenceType, MessageType } from "discord.js";
import { isBlank } from "../lib/blank.ts";
import type { Talk, Where } from "../llm/llm.ts";
import type { Member } from "../members/member.ts";
import type { AttachmentSource } from "./attachment.ts";
import { isEmpty, promptAbout, type Quote, quoteOf, sourceOf, WHAT_OF_IT } from "./quote.ts";

// What a message that somebody wrote is to the bot.

type Written = GatewayMessageCreateDispatchData;

/** A message as the gateway brings it, with what is known of its place. */
export interface Said {
  message: Written;
  botId: string;
  applicationId: string;
  /** Undefined: it was not written in a thread. */
  thread: { ownerId: string | null; parentId: string | null } | undefined;
}

/** A message that may be a question. */
export interface Heard {
  id: string;
  applicationId: string;
  /** It is meant for the bot. False: it is, where a moderator had every message be a question. */
  called: boolean;
  member: Member;
  where: Where;
  talk: Talk;
  /** What its author wrote, without the bot's name. */
  words: string;
  /** With what it is about above it; empty: it asks nothing. */
  prompt: string;
  attachments: AttachmentSource[];
}

/** Undefined: the bot has nothing to do with it. Everything that is asked here is answered from the message alone. */
export function hear({ message, botId, applicationId, thread }: Said): Heard | undefined {
  if (!isFromSomebody(message)) return undefined;
  const { id, author, mentions, guild_id: guildId = null, channel_id: channelId } = message;
  const words = wordsOf(message, botId);
  // Without the intent to read them all, Discord empties messages that don't mention the bot.
  const readable = words !== "" || message.attachments.length > 0;
  const mentioned = mentions.some((one) => one.id === botId);
  const isOwnPlace = guildId === null || thread?.ownerId === botId;
  const answered = answeredTo(message, botId);
  const called = mentioned || guildId === null || (readable && (isOwnPlace || answered !== undefined));
  if (!called && !readable) return undefined;
  const about = aboutWhat(message, botId);
  const attachments = [...message.attachments.map(sourceOf), ...(about?.attachments ?? [])];
  return {
    id,
    applicationId,
    called,
    member: {
      id: author.id,
      name: message.member?.nick ?? author.global_name ?? author.username,
      asker: { guildId, roleIds: message.member?.roles ?? [] },
      moderator: false,
    },
    where: { guildId, channelId, parentChannelId: thread?.parentId ?? undefined },
    talk: isOwnPlace ? { kind: "channel", channelId } : { kind: "chain", replyTo: answered },
    words,
    prompt: promptOf(words, about, attachments),
    attachments,
  };
}

function isFromSomebody({ author, type, webhook_id }: Written): boolean {
  if (author.bot || author.system || webhook_id !== undefined) return false;
  return type === MessageType.Default || type === MessageType.Reply;
}

/** People by their names instead of their ids, and the bot not at all. */
function wordsOf({ content, mentions }: Written, botId: string): string {
  const named = content.replace(/<@!?(\d+)>/g, (mention, id: string) => {
    if (id === botId) return "";
    const found = mentions.find((one) => one.id === id);
    return found ? `@${found.member?.nick ?? found.global_name ?? found.username}` : mention;
  });
  return isBlank(named) ? "" : named.trim();
}

/** The message of the bot that it replies to. */
function answeredTo({ message_reference, referenced_message }: Written, botId: string): string | undefined {
  return referenced_message?.author.id === botId ? message_reference?.message_id : undefined;
}

/** Somebody else's message that it replies to, or one that it forwards. */
function aboutWhat(message: Written, botId: string): Quote | undefined {
  const { message_reference, message_snapshots = [], referenced_message } = message;
  if (message_reference?.type === MessageReferenceType.Forward) {
    const [forwarded] = message_snapshots;
    const quote = forwarded && quoteOf({ ...forwarded.message, author: message.author });
    return quote && !isEmpty(quote) ? { ...quote, name: "Somebody" } : undefined;
  }
  if (!referenced_message || referenced_message.author.id === botId) return undefined;
  const quote = quoteOf(referenced_message);
  return isEmpty(quote) ? undefined : quote;
}

function promptOf(words: string, about: Quote | undefined, attachments: readonly AttachmentSource[]): string {
  const question = words || (about || attachments.length > 0 ? WHAT_OF_IT : "");
  return about?.text ? promptAbout(about, question) : question;
}
