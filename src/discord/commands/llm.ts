import { ApplicationCommandOptionType } from "discord.js";
import { WisError } from "../../errors.ts";
import { isBlank } from "../../lib/blank.ts";
import { formatBytes } from "../../lib/bytes.ts";
import { askHere } from "../ask-here.ts";
import { LARGEST } from "../enclosures.ts";
import { WHAT_OF_IT } from "../quote.ts";
import type { Button, Command } from "./command.ts";

export const llm: Command = {
  name: "llm",
  description: "Ask the AI a question",
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: "prompt",
      description: "What you want to know",
      required: true,
      max_length: 6000,
    },
    {
      type: ApplicationCommandOptionType.String,
      name: "model",
      description: "Who answers; leave it out for the model that answers you here anyway",
      autocomplete: true,
      max_length: 100,
    },
    {
      type: ApplicationCommandOptionType.Attachment,
      name: "file",
      description: `A picture or document that the question is about, of up to ${formatBytes(LARGEST)}`,
    },
    {
      type: ApplicationCommandOptionType.Boolean,
      name: "private",
      description: "Show question and answer to you alone",
    },
    {
      type: ApplicationCommandOptionType.Boolean,
      name: "thread",
      description: "Answer in a new thread, where everybody can go on asking",
    },
  ],
  help: ({ maxRequestsPerMinute }) =>
    `ask the AI, or mention me, reply to me, write me directly: ${maxRequestsPerMinute} questions a minute`,

  async run(deps, asked) {
    const { options } = asked.interaction;
    const typed = options.getString("prompt", true);
    const question = isBlank(typed) ? "" : typed;
    const model = options.getString("model")?.trim() || undefined;
    const file = options.getAttachment("file");
    const isPrivate = options.getBoolean("private") ?? false;
    const thread = options.getBoolean("thread") ?? false;
    if (isPrivate && thread) throw notBoth();
    if (!question && !file) throw noQuestion();
    const prompt = question || WHAT_OF_IT;
    const enclosures = file ? [file] : [];
    await askHere(deps, asked, { prompt, question, model, enclosures, private: isPrivate, thread });
  },

  async complete({ llm }, { interaction }) {
    const typed = interaction.options.getFocused().trim().toLowerCase();
    const models = await llm.models();
    const at = (name: string) => name.toLowerCase().indexOf(typed);
    return models
      .filter(({ name }) => at(name) >= 0)
      .sort((one, other) => Number(at(one.name) > 0) - Number(at(other.name) > 0))
      .map(({ name }) => ({ name, value: name }));
  },
};

export const stopAnswer: Button = {
  kind: "llm:stop",
  async run({ llm }, { member, reply }, answerId) {
    // From memory, so that a refusal can still be told to the presser alone.
    llm.stop(answerId, member);
    await reply.acknowledge();
  },
};

function noQuestion(): WisError {
  return new WisError("bad_request", {
    say: "There is no question in that.",
    hint: "Write what you want to know.",
  });
}

function notBoth(): WisError {
  return new WisError("bad_request", {
    say: "A thread can be read by everybody, so a private answer can't be in one.",
    hint: "Leave out either private or thread.",
  });
}
