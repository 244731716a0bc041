import type { ChatInputCommandInteraction, MessageContextMenuCommandInteraction } from "discord.js";
import type { Question, Spot, Talk } from "../llm/llm.ts";
import { type AnswerStage, showAnswer, withinTick } from "./answering.ts";
import type { AttachmentSource } from "./attachment.ts";
import type { Asked, CommandDeps } from "./commands/command.ts";
import { fetchEnclosures } from "./enclosures.ts";
import { openingBody } from "./opening.ts";
import { placeOf } from "./place.ts";
import { note } from "./render.ts";
import { type Body, closesAt } from "./respond.ts";
import { NO_THREAD, openThread } from "./threads.ts";

/** A question that is asked with a command. */
export interface AskedQuestion extends Pick<Question, "prompt" | "model"> {
  /** As it is quoted above the answer. */
  question: string;
  enclosures: readonly AttachmentSource[];
  private: boolean;
  thread: boolean;
}

type AskedHere = Asked<ChatInputCommandInteraction | MessageContextMenuCommandInteraction>;

/** Where an answer is shown, and where its question belongs. */
interface StagedSpot extends Spot {
  stage: AnswerStage;
}

/**
 * Asks, and shows the answer as the interaction's reply or in a thread below that.
 * Throws what asking throws, and WisError file.too_large, attachment.refused, attachment.failed.
 */
export async function askHere(deps: CommandDeps, asked: AskedHere, input: AskedQuestion): Promise<void> {
  const { llm, closing } = deps;
  const { cdn } = deps.config.discord;
  const { member, explain } = asked;
  const { question, prompt, model, enclosures } = input;
  const here = spotHere(asked, input);
  const [file] = enclosures;
  const settings = llm.place(asked.where);
  const opensThread = ({ channel }: Awaited<typeof settings>) =>
    input.thread || (channel?.threads === true && mayHaveThread(asked, input));
  const known = await withinTick(settings);
  // Discord voids an interaction after 3 s: what takes its time is not waited for before the first response.
  if (!known || opensThread(known) || file) {
    await here.stage.show(openingBody(question, file ? `Reading ${file.name}…` : "Asking…"));
  }
  const wantsThread = opensThread(await settings);
  let { stage } = here;
  const asking = llm.ask({
    ...{ member, prompt, model, where: asked.where },
    attachments:
      file && ((signal) => fetchEnclosures(enclosures, { cdn, closing: AbortSignal.any([closing, signal]) })),
    async spot() {
      if (!wantsThread) return here;
      const spot = await spotInThread(deps, asked, here, question);
      stage = spot.stage;
      return spot;
    },
  });
  // Where it is shown is known only then, and "Reading…" stands until everything is read.
  if (wantsThread || file) await asking;
  await showAnswer(deps, { asking, question, member, stage, explain });
}

/** Threads have no threads, and neither have direct messages and what one person sees alone. */
function mayHaveThread({ where, key }: AskedHere, input: AskedQuestion): boolean {
  return where.guildId !== null && where.parentChannelId === undefined && !key.alone && !input.private;
}

function spotHere(asked: AskedHere, input: AskedQuestion): StagedSpot {
  const { key, reply } = asked;
  const options = { plainLinks: true, ephemeral: input.private };
  return {
    stage: {
      show: (body: Body) => reply.show(body, options),
      more: (body: Body) => reply.more(body, options),
      closesAt: input.private || key.alone ? closesAt(key) : undefined,
    },
    place: placeOf(asked),
    talk: talkAt(asked, input),
  };
}

/**
 * What is said in direct messages to the bot, or in a thread that it has opened, belongs together; but for what only one
 * of many there can see, for the answers to the others would go by it.
 */
function talkAt({ interaction: { channel, client }, where, key }: AskedHere, input: AskedQuestion): Talk {
  const { channelId } = where;
  const isOwn = channel?.isThread()
    ? channel.ownerId === client.user.id && !input.private
    : where.guildId === null && !key.alone;
  return isOwn ? { kind: "channel", channelId } : { kind: "chain" };
}

async function spotInThread(
  { messages }: Pick<CommandDeps, "messages">,
  { reply, key, where: { channelId } }: AskedHere,
  here: StagedSpot,
  question: string,
): Promise<StagedSpot> {
  const { messageId } = await here.stage.show(openingBody(question, "The answer is in the thread below."));
  const threadId =
    messageId && !key.alone && (await openThread(messages, { channelId, messageId, question }));
  if (!threadId) {
    await reply.more({ content: note(NO_THREAD) }, { ephemeral: true });
    return here;
  }
  const send = (body: Body) => messages.send(threadId, body, { plainLinks: true });
  return {
    stage: { show: send, more: send },
    place: { ...here.place, channelId: threadId, interactionToken: null },
    talk: { kind: "channel", channelId: threadId },
  };
}
