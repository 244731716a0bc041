import { ApplicationCommandOptionType } from "discord.js";
import { isWisError } from "../../errors.ts";
import { tokenCard, tokenList } from "../token-list.ts";
import type { Button, Command } from "./command.ts";

export const token: Command = {
  name: "token",
  description: "An API token, to upload with ShareX, curl or a script of your own",
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: "name",
      description: "What you will know it by, such as the name of your computer",
      max_length: 60,
    },
  ],
  help: () => "an API token, for ShareX and curl",

  async run({ files, publicUrl }, { interaction, member, reply, explain }) {
    const name = interaction.options.getString("name") ?? "";
    await reply.defer({ ephemeral: true });
    try {
      const minted = await files.mintToken({ ownerId: member.id, asker: member.asker, name });
      await reply.show(tokenCard(minted, publicUrl));
    } catch (error) {
      if (!isWisError(error, "token.limit")) throw error;
      // Those that may be revoked stand below the refusal.
      await reply.show(tokenList(await files.tokens(member.id), explain(error)));
      throw error;
    }
    // A message of its own: revoking another one must not take the new secret away before it is copied.
    await reply.more(tokenList(await files.tokens(member.id)), { ephemeral: true });
  },
};

export const revokeToken: Button = {
  kind: "token:revoke",
  async run({ files }, { member, reply }, id) {
    await reply.acknowledge();
    try {
      await files.revokeToken(id, { ownerId: member.id });
    } catch (error) {
      // Revoked already, in another list.
      if (!isWisError(error, "token.unknown")) throw error;
    }
    await reply.show(tokenList(await files.tokens(member.id), "Revoked: it is worth nothing from now on."));
  },
};
