import { type APIApplicationCommandBasicOption, ApplicationCommandOptionType } from "discord.js";
import type { Llm } from "../../llm/llm.ts";
import type { PlaceRow } from "../../llm/ports.ts";
import { note } from "../render.ts";
import type { Command } from "./command.ts";

type Change = Partial<Pick<PlaceRow, "off" | "threads" | "freeResponse">>;

export const settings: Command = {
  name: "settings",
  description: "How the AI behaves in this channel and server, for moderators to change",
  options: [
    onOff("answers", "Whether it takes questions in this server"),
    onOff("threads", "Whether every question in this channel opens a thread"),
    onOff("free", "Whether every message in this channel is a question"),
  ],
  help: () => "switches for this channel and server",

  async run({ config, llm }, { interaction, where, member, reply }) {
    const wish = (name: string) => {
      const said = interaction.options.getString(name);
      return said === null ? undefined : said === "on";
    };
    await reply.defer({ ephemeral: true });
    const [answers, threads, freeResponse] = ["answers", "threads", "free"].map(wish);
    const server: Change = answers === undefined ? {} : { off: !answers };
    const channel: Change = {
      ...(threads !== undefined && { threads }),
      ...(freeResponse !== undefined && { freeResponse }),
    };
    for (const [scope, change] of [["server", server] as const, ["channel", channel] as const]) {
      if (Object.keys(change).length > 0) await llm.setPlace({ by: member, where, scope, change });
    }
    const changed = answers !== undefined || Object.keys(channel).length > 0;
    const content = where.guildId === null ? DIRECT : text(await llm.place(where), config.discord, changed);
    await reply.show({ content });
  },
};

function onOff(name: string, description: string): APIApplicationCommandBasicOption {
  const choices = ["on", "off"].map((value) => ({ name: value, value }));
  return { type: ApplicationCommandOptionType.String, name, description, choices };
}

const DIRECT = "Direct messages have no settings. Run `/wis settings` in a server.";

function text(
  { channel, server }: Awaited<ReturnType<Llm["place"]>>,
  { message_content }: { message_content: boolean },
  changed: boolean,
): string {
  const free = channel?.freeResponse ?? false;
  return [
    ...(changed ? ["✅ Changed. This holds now:"] : []),
    line("answers", !(server?.off ?? false), "questions are taken in this server"),
    line("threads", channel?.threads ?? false, "a question here opens a thread"),
    line("free", free, "every message here is a question"),
    ...(free && !message_content ? [NO_CONTENT] : []),
    note("Moderators change them: `/wis settings threads:on`"),
  ].join("\n");
}

const NO_CONTENT =
  "⚠️ `free` does nothing yet: WisBot can't read ordinary messages. Ask the admin to set `discord.message_content: true`.";

function line(name: string, on: boolean, words: string): string {
  return `**${name}** ${on ? "on" : "off"} · ${words}`;
}
