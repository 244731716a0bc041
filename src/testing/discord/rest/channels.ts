import { PermissionFlagsBits as Permission } from "discord-api-types/v10";
import { refused } from "../error.ts";
import { type ChannelMessageBody, channelMessage, messageEdit } from "../forms/message.ts";
import type { InteractionDeps } from "../interaction.ts";
import { isEphemeral, type Message } from "../message.ts";
import { channelPayload, messagePayload } from "../payloads.ts";
import { type Channel, permissionsIn } from "../world.ts";
import { type Call, noContent, ok, type Route, route, routeWith } from "./route.ts";

/** Within it a nonce that comes again names the same message: "the past few minutes" in Discord's words. */
const NONCE_MS = 5 * 60_000;

const ONE = "/channels/{channel_id}/messages/{message_id}";

/** Channels and the messages in them, as far as the bot may see and write there. */
export function channelRoutes({ world, messages }: InteractionDeps): Route[] {
  function seen({ params }: Call<unknown>): Channel {
    const channel = world.channels.get(params.channel_id ?? "");
    if (!channel) throw refused.unknownChannel();
    if (!(permissionsIn(world, channel, world.bot.id) & Permission.ViewChannel))
      throw refused.missingAccess();
    return channel;
  }

  /** Ephemeral messages are not there for anybody who asks through the channel. */
  function found(call: Call<unknown>): Message {
    const channel = seen(call);
    const message = world.messages.get(call.params.message_id ?? "");
    if (!message || message.deleted || message.channelId !== channel.id || isEphemeral(message))
      throw refused.unknownMessage();
    return message;
  }

  function needToSend(channel: Channel): void {
    need(channel, channel.thread ? Permission.SendMessagesInThreads : Permission.SendMessages);
  }

  function need(channel: Channel, permission: bigint): void {
    if (!(permissionsIn(world, channel, world.bot.id) & permission)) throw refused.missingPermissions();
  }

  /** The message that this nonce already made. */
  function sent(channel: Channel, { nonce, enforce_nonce }: ChannelMessageBody): Message | undefined {
    if (!enforce_nonce || nonce === null || nonce === undefined) return undefined;
    return [...world.messages.values()].find(
      (one) =>
        one.nonce === nonce &&
        one.channelId === channel.id &&
        one.authorId === world.bot.id &&
        world.now() - one.createdAt < NONCE_MS,
    );
  }

  function visible(channel: Channel): Message[] {
    return [...world.messages.values()]
      .filter((one) => one.channelId === channel.id && !one.deleted && !isEphemeral(one))
      .reverse();
  }

  return [
    route("GET /channels/{channel_id}", (call) => ok(channelPayload(world, seen(call)))),
    route("POST /channels/{channel_id}/typing", (call) => {
      needToSend(seen(call));
      return noContent;
    }),
    route("GET /channels/{channel_id}/messages", (call) => {
      const limit = Number(call.query.get("limit") ?? 50);
      return ok(
        visible(seen(call))
          .slice(0, limit)
          .map((one) => messagePayload(world, one)),
      );
    }),
    routeWith("POST /channels/{channel_id}/messages", channelMessage, (call) => {
      const { body, files } = call;
      const channel = seen(call);
      needToSend(channel);
      if (body.embeds?.length) need(channel, Permission.EmbedLinks);
      if (files.length > 0) need(channel, Permission.AttachFiles);
      const recipient = channel.recipientId === null ? undefined : world.people.get(channel.recipientId);
      if (recipient && !recipient.dmsOpen) throw refused.messagesClosed();
      const nonce = body.nonce ?? undefined;
      const replyTo = body.message_reference?.message_id;
      const message =
        sent(channel, body) ??
        messages.create({
          channel,
          body,
          files,
          ...(nonce !== undefined && { nonce }),
          ...(replyTo && { replyTo }),
        });
      // As with people: a message opens the thread again.
      if (channel.thread) channel.thread.archived = false;
      return ok(messagePayload(world, message));
    }),
    route(`GET ${ONE}`, (call) => {
      const message = found(call);
      need(seen(call), Permission.ReadMessageHistory);
      return ok(messagePayload(world, message));
    }),
    routeWith(`PATCH ${ONE}`, messageEdit, (call) => {
      const message = found(call);
      if (message.authorId !== world.bot.id) throw refused.notAuthor();
      if (seen(call).thread?.archived) throw refused.archived();
      messages.edit(message, call.body, call.files);
      return ok(messagePayload(world, message));
    }),
    route(`DELETE ${ONE}`, (call) => {
      const message = found(call);
      if (message.authorId !== world.bot.id) need(seen(call), Permission.ManageMessages);
      messages.delete(message);
      return noContent;
    }),
  ];
}
