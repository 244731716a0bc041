import { readCursor } from "../../llm/attempt-cursor.ts";
import { historyPage, pageUpTo } from "../history-page.ts";
import type { Button, Command } from "./command.ts";

export const history: Command = {
  name: "history",
  description: "Your latest questions, what they took, and what is left of your quota",
  help: () => "your latest questions; your quota",

  async run({ llm }, { member, reply }) {
    await reply.defer({ ephemeral: true });
    await reply.show(await historyPage(llm, member));
  },
};

const olderHistory: Button = {
  kind: "history:older",
  async run({ llm }, { member, reply }, argument) {
    await reply.acknowledge();
    await reply.show(await historyPage(llm, member, readCursor(argument)));
  },
};

const newerHistory: Button = {
  kind: "history:newer",
  async run({ llm }, { member, reply }, argument) {
    await reply.acknowledge();
    const end = readCursor(argument);
    const before = end && (await pageUpTo(llm, member.id, end));
    await reply.show(await historyPage(llm, member, before));
  },
};

export const historyButtons = [olderHistory, newerHistory];
