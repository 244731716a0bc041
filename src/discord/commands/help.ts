import type { Command } from "./command.ts";

export const help: Command = {
  name: "help",
  description: "What WisBot can do for you",
  help: () => "show this.",

  async run({ commands, limits }, { interaction, member, reply }) {
    const own = { ...limits, files: limits.files({ ownerId: member.id, asker: member.asker }) };
    const lines = commands.map((command) => {
      // Discord turns this into a link that puts the command into the message box.
      const mention = `</${interaction.commandName} ${command.name}:${interaction.commandId}>`;
      return `${mention} ${command.help(own)}`;
    });
    await reply.show(
      { content: ["**WisBot**, this server's own AI and file desk", ...lines].join("\n") },
      { ephemeral: true },
    );
  },
};
