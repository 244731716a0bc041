import { ApplicationCommandOptionType } from "discord.js";
import { isWisError } from "../../errors.ts";
import { formatBytes } from "../../lib/bytes.ts";
import { formatDuration } from "../../lib/duration.ts";
import { openAttachment, withoutLink } from "../attachment.ts";
import { fileCard, goneCard, ticketCard } from "../cards.ts";
import { offerIn } from "../inline.ts";
import type { Button, Command } from "./command.ts";

export const upload: Command = {
  name: "upload",
  description: "Share a file that is too large for Discord",
  options: [
    {
      type: ApplicationCommandOptionType.Attachment,
      name: "file",
      description: "Take this file; leave it out for a link to upload larger ones in the browser",
    },
    {
      type: ApplicationCommandOptionType.Boolean,
      name: "private",
      description: "Show the outcome to you alone",
    },
  ],
  help: ({ files }) =>
    `share files: ${formatBytes(files.maxFileSize)} each, ${files.maxFiles} of them, ${formatBytes(files.maxBytes)} together, for ${formatDuration(files.expireAfter)}`,

  async run({ config, files, closing }, { interaction, key, channelId, member, reply }) {
    const attachment = interaction.options.getAttachment("file");
    const isPrivate = interaction.options.getBoolean("private") ?? false;
    if (!attachment) {
      // Discord voids an interaction after 3 s: answer before touching the disk.
      await reply.defer({ ephemeral: true });
      const origin = {
        guildId: interaction.guildId,
        channelId,
        private: isPrivate,
        applicationId: key.applicationId,
        interactionToken: key.token,
        interactionAt: key.at,
        attachmentLimit: interaction.attachmentSizeLimit,
      };
      const ticket = await files.issue({ ownerId: member.id, asker: member.asker, origin });
      const { bytes } = await files.usage(member.id);
      await reply.show(ticketCard(ticket, bytes));
      return;
    }
    await reply.defer({ ephemeral: isPrivate });
    const incoming = await openAttachment(attachment, { cdn: config.discord.cdn, closing });
    const file = await files
      .add({ ownerId: member.id, asker: member.asker }, incoming)
      .catch((error: unknown) => {
        throw withoutLink(error);
      });
    await reply.show(fileCard(file));
  },
};

export const deleteFile: Button = {
  kind: "file:delete",
  async run({ files, posts }, { member, reply }, id) {
    await reply.acknowledge();
    let words = "This file was deleted.";
    try {
      await files.remove(id, member);
    } catch (error) {
      if (!isWisError(error, "file.unknown")) throw error;
      words = error.say;
    }
    await posts.inTurn(id, () => reply.show(goneCard(words)));
  },
};

export const extendFile: Button = {
  kind: "file:extend",
  async run({ files, posts }, { member, reply }, id) {
    await reply.acknowledge();
    await posts.inTurn(id, async () => {
      try {
        const file = await files.extend(id, member);
        const offer = offerIn(await reply.current(), id);
        // "Posting…" that nobody is at was left by a wisbot that was killed: it may have been posted.
        const post = offer === "posting" && !posts.has(id) ? undefined : offer;
        await reply.show(fileCard(file, { post }));
      } catch (error) {
        if (!isWisError(error, "file.unknown")) throw error;
        await reply.show(goneCard(error.say));
      }
    });
  },
};
