import { count } from "../../lib/count.ts";
import { note } from "../render.ts";
import type { Command } from "./command.ts";

export const clear: Command = {
  name: "clear",
  description: "Have the AI forget what you asked it here",
  help: () => "forget what you asked here",

  async run({ llm }, { where, member, reply }) {
    await reply.defer({ ephemeral: true });
    const turns = await llm.clear(member, { kind: "channel", channelId: where.channelId });
    await reply.show({ content: turns === 0 ? nothing : `${gone(turns)}\n${stays}` });
  },
};

const gone = (turns: number) =>
  `Forgotten: your ${count(turns, "question")} here, with the answers. Your next one begins anew.`;

const nothing = "There is nothing of yours here to forget. Ask something with `/wis llm`.";

const stays = note("What stands in Discord stays there. `/wis forget` erases all that is known of you.");
