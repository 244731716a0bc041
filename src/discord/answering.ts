import { setImmediate } from "node:timers/promises";
import { RESTJSONErrorCodes } from "discord.js";
import { isWisError } from "../errors.ts";
import type { Answer, Llm } from "../llm/llm.ts";
import type { Member } from "../members/member.ts";
import type { AnswerView } from "./answer-view.ts";
import type { CommandDeps } from "./commands/command.ts";
import { isDiscordCode, isFinalNo } from "./errors.ts";
import { openingBody } from "./opening.ts";
import { interruptedMark, note } from "./render.ts";
import type { Body, Shown } from "./respond.ts";

/** Where an answer is to be shown: its first message, then more below it. */
export interface AnswerStage {
  show(body: Body): Promise<Shown>;
  more(body: Body): Promise<Shown>;
  /** When the bot can write there no more, milliseconds since the epoch; undefined: never. */
  closesAt?: number | undefined;
}

export interface AnsweringDeps extends Pick<CommandDeps, "llm" | "messages" | "budget" | "timers" | "now"> {}

export interface AnswerInput {
  asking: Promise<Answer>;
  /** To be quoted above the answer; empty where it can be seen anyway. */
  question: string;
  member: Member;
  stage: AnswerStage;
  /** Records an error, once, and gives what the person is told of it. */
  explain(error: unknown): string;
}

const STOPPED = note("⏹ Stopped.");
const CLOSED = note(
  "⏹ Discord keeps a reply like this open for 15 minutes, and they are over. The rest is missing.",
);

/** Shows an answer from its question to its end. What is refused at once is thrown before anything is shown. */
export async function showAnswer(deps: AnsweringDeps, input: AnswerInput): Promise<void> {
  const { llm, messages, budget, timers, now } = deps;
  const { question, member, stage } = input;
  const { answer, first } = await open(llm, input);
  // What reads Markdown takes 5 MB of memory: it is loaded with the first answer.
  const { createAnswerView } = await import("./answer-view.ts");
  let stopped = STOPPED;
  let refused: unknown;
  const view = createAnswerView(
    {
      messages,
      more: stage.more,
      onMoved: (shown) => moved(answer, shown),
      onRefused(error) {
        // Who deletes the answer has no use for the rest of it.
        if (!isDiscordCode(error, RESTJSONErrorCodes.UnknownMessage)) {
          refused = error;
          stopped = input.explain(error);
        }
        stop(llm, answer, member);
      },
      budget,
      timers,
      now,
    },
    { question, answerId: answer.id, first },
  );
  const calledOff = atClosing(deps, stage, () => {
    stopped = CLOSED;
    stop(llm, answer, member);
  });
  // What Discord refuses for good, it refuses for every edit that follows: that is one error.
  const explain: Explain = (error) => input.explain(refused ?? error);
  await follow(answer, view, { explain, stopped: () => stopped, more: stage.more })
    .catch((error: unknown) => {
      throw refused ?? error;
    })
    .finally(calledOff);
}

type Explain = AnswerInput["explain"];

/** Shows the question. */
async function open(llm: Llm, { asking, question, member, stage }: AnswerInput) {
  const known = await withinTick(asking);
  const body = openingBody(question, `Asking ${known?.model ?? llm.model}…`, known?.id);
  try {
    const shown = await stage.show(body);
    const answer = await asking;
    await moved(answer, shown);
    return { answer, first: { shown, body } };
  } catch (error) {
    // What goes wrong with this as well goes with the error that led here.
    await Promise.allSettled([abandon(llm, asking, member)]);
    throw error;
  }
}

async function moved(answer: Answer, { messageId }: Shown): Promise<void> {
  if (messageId) await answer.moved(messageId);
}

/** Calls `close` when the bot can soon write there no more; gives the way to call that off. */
function atClosing({ timers, now }: AnsweringDeps, { closesAt }: AnswerStage, close: () => void): () => void {
  if (closesAt === undefined) return () => {};
  return timers.after(Math.max(0, closesAt - now()), close);
}

interface Ending extends Pick<AnswerStage, "more"> {
  explain: Explain;
  /** What stands below an answer that was stopped. */
  stopped(): string;
}

/** Follows an answer to its end, whatever that is. */
async function follow(answer: Answer, view: AnswerView, ending: Ending): Promise<void> {
  try {
    for await (const event of answer.events) view.take(event);
  } catch (error) {
    await finish(view, markOf(error, ending), ending);
    if (isWisError(error, "llm.stopped")) return;
    throw error;
  }
  await finish(view, undefined, ending);
}

async function finish(view: AnswerView, mark: string | undefined, { explain, more }: Ending): Promise<void> {
  try {
    await view.finish(mark);
  } catch (error) {
    const told = explain(error);
    const refused = isFinalNo(error) && !isDiscordCode(error, RESTJSONErrorCodes.UnknownMessage);
    // Below the part that is there, or below its message: whichever of the two was not what Discord refused.
    if (refused) await Promise.allSettled([view.leave(told).catch(() => more({ content: told }))]);
    throw error;
  }
}

function markOf(error: unknown, { explain, stopped }: Ending): string {
  if (isWisError(error, "llm.stopped")) return stopped();
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
export async function withinTick<T>(work: Promise<T>): Promise<T | undefined> {
  return Promise.race([work, setImmediate(undefined)]);
}
