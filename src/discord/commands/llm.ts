import { setImmediate } from "node:timers/promises";
import {
  ApplicationCommandOptionType,
  type ChatInputCommandInteraction,
  RESTJSONErrorCodes,
} from "discord.js";
import { isWisError } from "../../errors.ts";
import type { Answer, Llm } from "../../llm/llm.ts";
import type { AnswerPlace } from "../../llm/ports.ts";
import type { Member } from "../../members/member.ts";
import { type AnswerView, createAnswerView, openingBody } from "../answer-view.ts";
import { isDiscordCode } from "../errors.ts";
import { interruptedMark, note } from "../render.ts";
import type { Shown } from "../respond.ts";
import type { Asked, Button, Command } from "./command.ts";

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
  ],
  help: ({ maxRequestsPerMinute }) =>
    `ask the AI. The answer is written here as it comes; Stop ends it. At most ${maxRequestsPerMinute} questions a minute.`,

  async run(deps, asked) {
    const { llm, messages, budget, timers, now } = deps;
    const { member, reply } = asked;
    const question = asked.interaction.options.getString("prompt", true);
    const { answer, first } = await open(llm, asked, question);
    const view = createAnswerView(
      {
        messages,
        more: (body) => reply.more(body, { plainLinks: true }),
        onMoved: (shown) => moved(answer, shown),
        onRefused(error) {
          // Who deletes the answer has no use for the rest of it.
          if (!isDiscordCode(error, RESTJSONErrorCodes.UnknownMessage)) asked.explain(error);
          stop(llm, answer, member);
        },
        budget,
        timers,
        now,
      },
      { question, answerId: answer.id, first },
    );
    await follow(answer, view, asked.explain);
  },
};

type Explain = Asked<unknown>["explain"];
type AskedHere = Asked<ChatInputCommandInteraction>;

/** Asks, and shows the question. What is refused at once is thrown before anything is shown. */
async function open(llm: Llm, asked: AskedHere, prompt: string) {
  const { member, reply } = asked;
  const asking = llm.ask({ member, prompt, place: placeOf(asked) });
  const known = await withinTick(asking);
  const body = openingBody(prompt, `Asking ${llm.model}…`, known?.id);
  try {
    const shown = await reply.show(body, { plainLinks: true });
    const answer = await asking;
    await moved(answer, shown);
    return { answer, first: { shown, body } };
  } catch (error) {
    // What goes wrong with this as well goes with the error that led here.
    await Promise.allSettled([abandon(llm, asking, member)]);
    throw error;
  }
}

function placeOf({ interaction, key, channelId }: AskedHere): AnswerPlace {
  return {
    guildId: interaction.guildId,
    channelId,
    messageId: null,
    applicationId: key.applicationId,
    interactionToken: key.token,
    interactionAt: key.at,
  };
}

async function moved(answer: Answer, { messageId }: Shown): Promise<void> {
  if (messageId) await answer.moved(messageId);
}

/** Follows an answer to its end, whatever that is. */
async function follow(answer: Answer, view: AnswerView, explain: Explain): Promise<void> {
  let empty = true;
  try {
    for await (const event of answer.events) {
      if (event.type === "waiting") view.status(`Waiting: place ${event.position} in the queue.`);
      if (event.type === "loading") view.status(`Loading the model ${event.model}…`);
      if (event.type !== "text") continue;
      empty &&= event.text.trim() === "";
      view.append(event.text);
    }
  } catch (error) {
    await finish(view, ending(error, explain), explain);
    if (isWisError(error, "llm.stopped")) return;
    throw error;
  }
  await finish(
    view,
    empty ? note("The model gave an empty answer. Ask in other words.") : undefined,
    explain,
  );
}

async function finish(view: AnswerView, mark: string | undefined, explain: Explain): Promise<void> {
  try {
    await view.finish(mark);
  } catch (error) {
    // Explained and not shown: it would stand in place of the part of the answer that is there.
    explain(error);
    throw error;
  }
}

function ending(error: unknown, explain: Explain): string {
  if (isWisError(error, "llm.stopped")) return note("⏹ Stopped.");
  const told = explain(error);
  return isWisError(error, "llm.interrupted") ? interruptedMark : told;
}

/** Nobody would see the answer: it is not to hold a slot. */
async function abandon(llm: Llm, asking: Promise<Answer>, member: Member): Promise<void> {
  const answer = await asking;
  stop(llm, answer, member);
  // An answer comes to its end as it is read.
  await Array.fromAsync(answer.events);
}

/** Ends an answer that may have ended by itself meanwhile. */
function stop(llm: Llm, answer: Answer, member: Member): void {
  try {
    llm.stop(answer.id, member);
  } catch (error) {
    if (!isWisError(error, "not_found")) throw error;
  }
}

/**
 * What is refused from memory (rate, full queue) is known by the next turn of the event loop, early enough to be told
 * to the asker alone; what waits for the disk is not waited for before the first response.
 */
async function withinTick(asking: Promise<Answer>): Promise<Answer | undefined> {
  return Promise.race([asking, setImmediate(undefined)]);
}

export const stopAnswer: Button = {
  kind: "llm:stop",
  async run({ llm }, { member, reply }, answerId) {
    // From memory, so that a refusal can still be told to the presser alone.
    llm.stop(answerId, member);
    await reply.acknowledge();
  },
};
