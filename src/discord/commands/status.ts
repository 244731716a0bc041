import { ApplicationCommandOptionType } from "discord.js";
import { count } from "../../lib/count.ts";
import type { Llm } from "../../llm/llm.ts";
import type { HostHealth, ModelVotes } from "../../llm/ports.ts";
import { linesWithin } from "../lines.ts";
import { note, plain } from "../render.ts";
import type { Command } from "./command.ts";

export const status: Command = {
  name: "status",
  description: "How the model servers do, who waits, and which models are liked",
  options: [
    {
      type: ApplicationCommandOptionType.Boolean,
      name: "public",
      description: "Show it to everybody here",
    },
  ],
  help: () => "how busy the AI is; the models' votes",

  async run({ llm }, { interaction, where, reply }) {
    await reply.defer({ ephemeral: !(interaction.options.getBoolean("public") ?? false) });
    await reply.show({ content: statusText(llm.status(), await llm.votes(where.guildId)) });
  },
};

/** With the longest names and sentences they leave room for the votes. */
const HOSTS_SHOWN = 8;

function statusText({ hosts, waiting, active }: ReturnType<Llm["status"]>, votes: ModelVotes[]): string {
  const others = hosts.length - HOSTS_SHOWN;
  return linesWithin({
    above: [
      ...hosts.slice(0, HOSTS_SHOWN).map(hostLines),
      ...(others > 0 ? [note(`…and ${count(others, "more host")}.`)] : []),
      `${count(active, "answer")} being written, ${waiting === 0 ? "nobody waits" : `${waiting} waiting`}.`,
      "",
      votes.length === 0
        ? "No votes here yet: 👍 and 👎 stand below every answer."
        : "**Liked here**, by the votes below answers:",
    ],
    listed: votes.toSorted(byLiking).map(votesLine),
    more: (missing) => note(`…and ${count(missing, "more model")}.`),
  });
}

const STATE: Record<HostHealth["state"], string> = {
  ok: "✅",
  resting: "⚠️",
  unknown: "❔",
};

function hostLines({ name, state, detail, active, slots }: HostHealth): string {
  return `${STATE[state]} **${plain(name, 60)}** · ${active} of ${count(slots, "slot")} in use\n${note(plain(detail, 100))}`;
}

const byLiking = (a: ModelVotes, b: ModelVotes) => b.up - b.down - (a.up - a.down);

function votesLine({ model, up, down, answers }: ModelVotes): string {
  return `**${plain(model, 60)}** · 👍 ${up} · 👎 ${down} · ${count(answers, "answer")}`;
}
