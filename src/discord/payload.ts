import { MessageFlags, type RawFile } from "discord.js";
import type { Body, MessageOptions, SendOptions } from "./respond.ts";

// What Discord takes for a message.

export function flagsOf({ ephemeral, plainLinks }: SendOptions): number {
  return (ephemeral ? MessageFlags.Ephemeral : 0) | (plainLinks ? MessageFlags.SuppressEmbeds : 0);
}

export function payload({ content = "", embeds, components, file }: Body, flags = 0) {
  const files: RawFile[] = file ? [file] : [];
  const data = {
    content,
    ...(embeds && { embeds }),
    ...(components && { components }),
    ...(file && { attachments: [{ id: "0", filename: file.name }] }),
    ...(flags && { flags }),
    // Discord parses mentions anew, with its defaults, in every send and every edit that does not say this.
    allowed_mentions: { parse: [] },
  };
  return { data, files };
}

/** An ordinary message's. Who is replied to is not notified: they are waiting for it, and it is edited for a while. */
export function ordinary(body: Body, { nonce, replyTo, plainLinks = false }: MessageOptions) {
  const { data, files } = payload(body, flagsOf({ plainLinks }));
  const reply = {
    message_reference: { message_id: replyTo, fail_if_not_exists: false },
    allowed_mentions: { parse: [], replied_user: false },
  };
  const once = { nonce, enforce_nonce: true };
  return { data: { ...data, ...(replyTo && reply), ...(nonce && once) }, files };
}
