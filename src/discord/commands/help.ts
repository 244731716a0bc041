import { note } from "../render.ts";
import type { Command, CommandGroup } from "./command.ts";

export const help: Command = {
  name: "help",
  description: "What WisBot can do for you",
  help: () => "this list",

  async run({ commandGroups, limits }, { interaction, member, reply }) {
    const own = { ...limits, files: limits.files({ ownerId: member.id, asker: member.asker }) };
    // Discord turns this into a link that puts the command into the message box.
    const line = (command: Command) =>
      `</${interaction.commandName} ${command.name}:${interaction.commandId}> ${command.help(own)}`;
    const group = ({ title, commands }: CommandGroup) => [`**${title}**`, ...commands.map(line)];
    const content = [...commandGroups.flatMap(group), note("This server's own AI and file desk")].join("\n");
    await reply.show({ content }, { ephemeral: true });
  },
};
