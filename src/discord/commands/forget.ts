import { WisError } from "../../errors.ts";
import { count } from "../../lib/count.ts";
import type { ForgottenTurns } from "../../llm/ports.ts";
import { button, row } from "../buttons.ts";
import { note, relativeTime } from "../render.ts";
import type { Button, Command } from "./command.ts";

export const forget: Command = {
  name: "forget",
  description: "Erase all that is known of you: questions, answers, votes, your choice of model",
  help: () => "erase what is known of you",

  async run(_deps, { member, reply }) {
    await reply.show(
      {
        content: WHAT_GOES,
        components: [row([button({ label: "Erase it all", id: `forget:${member.id}`, danger: true })])],
      },
      { ephemeral: true },
    );
  },
};

const WHAT_GOES = [
  "**Erase all that the AI knows of you?** It can't be taken back.",
  "Erased, in all servers and in direct messages:",
  "- your conversations: questions, images, answers",
  "- the history of your questions, and your votes",
  "- the model that you chose",
  "Not erased:",
  "- what stands in Discord: delete those messages there",
  "- your files: `/wis files`; your API tokens: `/wis token`",
  note("`/wis export` gives you a copy first."),
].join("\n");

export const forgetMe: Button = {
  kind: "forget",
  async run({ llm, telemetry, now }, { member, reply }, userId) {
    if (member.id !== userId) throw notYours();
    await reply.acknowledge();
    const erased = await llm.forget(member.id);
    const at = now();
    const receipt = telemetry.traceId();
    await reply.show({
      content: [
        `Erased ${relativeTime(at)}: ${what(erased).join(", ")}.`,
        "Nothing is left to do. The next question begins anew.",
        note(`Receipt \`${receipt}\``),
      ].join("\n"),
      file: {
        name: "receipt.txt",
        contentType: "text/plain; charset=utf-8",
        data: receiptText(erased, { userId, at, receipt }),
      },
    });
  },
};

function what({ turns, attempts, choices }: ForgottenTurns): string[] {
  return [count(turns, "question"), `${count(attempts, "line")} of history`, count(choices, "choice")];
}

function receiptText(
  erased: ForgottenTurns,
  { userId, at, receipt }: { userId: string; at: number; receipt: string },
): string {
  return [
    "WisBot: erased on request",
    `Moment: ${new Date(at).toISOString()}`,
    `Discord user: ${userId}`,
    `Questions with their answers: ${erased.turns}`,
    `Lines of the history, with votes: ${erased.attempts}`,
    `Choices of a model: ${erased.choices}`,
    `Receipt: ${receipt}`,
    "",
  ].join("\n");
}

function notYours(): WisError {
  return new WisError("forbidden", {
    say: "This button erases what is known of somebody else.",
    hint: "Run /wis forget yourself.",
  });
}
