import { type ButtonInteraction, MessageFlags } from "discord.js";
import { WisError } from "../../errors.ts";
import type { Answer, Llm, ShownAt } from "../../llm/llm.ts";
import { fileRows, type Rows, withVote } from "../answer-controls.ts";
import { type AnswerStage, showAnswer } from "../answering.ts";
import { fileCard } from "../cards.ts";
import { placeOf } from "../place.ts";
import { CONTENT_LIMIT } from "../render.ts";
import { type Body, closesAt } from "../respond.ts";
import { partText, split } from "../split.ts";
import type { Asked, Button } from "./command.ts";

// Every press is taken before anything is read: what comes of it, or why nothing does, then stands below.

type Pressed = Asked<ButtonInteraction>;

function voteButton(kind: string, wanted: number): Button {
  return {
    kind,
    async run({ llm }, { member, reply, interaction }, turnId) {
      await reply.acknowledge();
      const turn = await llm.turn(turnId);
      const vote = turn.vote === wanted ? 0 : wanted;
      await llm.vote(turnId, member, vote);
      const rows = interaction.message.components.map((one) => one.toJSON()) as Rows;
      await reply.showButtons(withVote(rows, vote));
    },
  };
}

type Begin = (llm: Llm, turnId: string, by: Pressed["member"], at: ShownAt) => Promise<Answer>;

function answerButton(kind: string, begin: Begin): Button {
  return {
    kind,
    async run(deps, asked, turnId) {
      const { member, explain } = asked;
      await asked.reply.acknowledge();
      const answer = await begin(deps.llm, turnId, member, shownAt(asked));
      const { question } = answer;
      await showAnswer(deps, {
        asking: Promise.resolve(answer),
        question,
        member,
        stage: stageOf(asked),
        explain,
      });
    },
  };
}

/** What reads Markdown: see answering.ts. */
const readers = () => Promise.all([import("../answer-file.ts"), import("../model-text.ts")]);

const showThinking: Button = {
  kind: "llm:think",
  async run({ llm }, { reply }, turnId) {
    await reply.acknowledge();
    const { thinking } = await llm.turn(turnId);
    if (thinking.trim() === "") throw nothingThere("There is nothing left of what the model thought.");
    const [{ markdownFile }, { modelText }] = await readers();
    const [first, ...others] = split(modelText(thinking), () => CONTENT_LIMIT);
    const content = first && others.length === 0 ? partText(first).trim() : "";
    const body: Body = content ? { content } : { file: markdownFile("thinking.md", thinking) };
    await reply.more(body, { ephemeral: true, plainLinks: true });
  },
};

const asFile: Button = {
  kind: "llm:file",
  async run({ llm }, { reply }, turnId) {
    await reply.acknowledge();
    const file = await fileOf(llm, turnId);
    await reply.more({ file, components: fileRows(turnId) }, { ephemeral: true });
  },
};

const asWebLink: Button = {
  kind: "llm:web",
  async run({ llm, files, closing }, { member, reply, interaction }, turnId) {
    await reply.acknowledge();
    const { name, contentType, data } = await fileOf(llm, turnId);
    // Every press makes a share of its own, which counts against the quota of who pressed. What all can see keeps its
    // buttons: somebody else may want a link, too.
    const isTheirs = interaction.message.flags.has(MessageFlags.Ephemeral);
    if (isTheirs) await reply.showButtons([]);
    const content = new Blob([data]);
    const source = { name, contentType, length: content.size, body: content.stream(), signal: closing };
    try {
      const file = await files.add({ ownerId: member.id, asker: member.asker }, source);
      await reply.more(fileCard(file), { ephemeral: true });
    } catch (error) {
      // What goes wrong with this as well goes with the error that led here.
      if (isTheirs) await Promise.allSettled([reply.showButtons(fileRows(turnId))]);
      throw error;
    }
  },
};

export const answerButtons = [
  voteButton("llm:up", 1),
  voteButton("llm:down", -1),
  answerButton("llm:again", (llm, ...which) => llm.regenerate(...which)),
  answerButton("llm:more", (llm, ...which) => llm.carryOn(...which)),
  showThinking,
  asFile,
  asWebLink,
] satisfies Button[];

async function fileOf(llm: Llm, turnId: string) {
  const { text } = await llm.turn(turnId);
  if (text === "") throw nothingThere("There is nothing left of that answer.");
  const [{ answerFile }] = await readers();
  return answerFile(text);
}

function shownAt(asked: Pressed): ShownAt {
  return { place: placeOf(asked), parentChannelId: asked.where.parentChannelId };
}

/** Below the message with the button, and seen by whoever sees that. */
function stageOf({ key, reply, interaction }: Pressed): AnswerStage {
  const ephemeral = interaction.message.flags.has(MessageFlags.Ephemeral);
  const below = (body: Body) => reply.more(body, { plainLinks: true, ephemeral });
  return { show: below, more: below, closesAt: ephemeral || key.alone ? closesAt(key) : undefined };
}

function nothingThere(say: string): WisError {
  return new WisError("not_found", { say, hint: "Ask again." });
}
