import { setImmediate } from "node:timers/promises";
import { ApplicationCommandOptionType, RESTJSONErrorCodes } from "discord.js";
import { isWisError } from "../../errors.ts";
import type { Answer, Llm, Question } from "../../llm/llm.ts";
import type { Member } from "../../members/member.ts";
import { type AnswerView, createAnswerView, openingBody } from "../answer-view.ts";
import { isDiscordCode } from "../errors.ts";
import { interruptedMark, note } from "../render.ts";
import type { Button, Command } from "./command.ts";

type Explain = (error: unknown) => string;

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
    const { interaction, key, channelId, member, reply } = asked;
    const prompt = interaction.options.getString("prompt", true);
    const place: Question["place"] = {
      guildId: interaction.guildId,
      channelId,
      messageId: null,
      applicationId: key.applicationId,
      interactionToken: key.token,
      interactionAt: key.at,
    };
    const asking = llm.ask({ member, prompt, place });
    const status = `Asking ${llm.model}…`;
    const known = await withinTick(asking);
    const body = openingBody(prompt, status, known?.id);
    const shown = await reply.show(body, { plainLinks: true }).catch(async (error) => {
      await abandon(llm, asking, member);
      throw error;
    });
    const answer = await asking;
    if (shown.messageId) await answer.moved(shown.messageId);

    const view = createAnswerView(
      {
        messages,
        more: (body) => reply.more(body, { plainLinks: true }),
        onMoved: async ({ messageId }) => {
          if (messageId) await answer.moved(messageId);
        },
        onRefused: (error) => {
          // Who deletes the answer has no use for the rest of it.
          if (!isDiscordCode(error, RESTJSONErrorCodes.UnknownMessage)) asked.explain(error);
          stop(() => llm.stop(answer.id, member));
        },
        budget,
        timers,
        now,
      },
      { question: prompt, answerId: answer.id, first: { shown, body } },
    );
    await show(answer, view, asked.explain);
  },
};

/** Follows an answer to its end, whatever that is. */
async function show(answer: Answer, view: AnswerView, explain: Explain): Promise<void> {
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

/** Nobody would see the answer: it is not to hold a slot. What goes wrong here goes with the error that led here. */
async function abandon(llm: Llm, asking: Promise<Answer>, member: Member): Promise<void> {
  const [asked] = await Promise.allSettled([asking]);
  if (asked.status === "fulfilled") stop(() => llm.stop(asked.value.id, member));
}

/** Ends an answer that may have ended by itself meanwhile. */
function stop(end: () => void): void {
  try {
    end();
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
