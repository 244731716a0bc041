import type { Llm } from "../llm/llm.ts";
import type { AnswerPlace } from "../llm/ports.ts";
import { againRows } from "./answer-controls.ts";
import { isFinalNo } from "./errors.ts";
import { CONTENT_LIMIT, interruptedMark } from "./render.ts";
import type { Messages, Shown } from "./respond.ts";
import { partText, split } from "./split.ts";

export interface InterruptedDeps {
  llm: Pick<Llm, "leftBehind" | "settled">;
  messages: Pick<Messages, "read" | "edit">;
}

/**
 * Marks the messages of answers that an earlier process did not live to finish; gives how many answers are settled.
 * Throws WisError discord.unreachable, discord.token_refused; what is left then comes with the next call.
 */
export async function markInterrupted({ llm, messages }: InterruptedDeps): Promise<number> {
  const rows = await llm.leftBehind();
  for (const { id, place } of rows) {
    await mark(messages, shownAt(place), id).catch((error) => {
      // Deleted, or out of the bot's reach by now: there is nobody left to tell.
      if (!isFinalNo(error)) throw error;
    });
    await llm.settled(id);
  }
  return rows.length;
}

async function mark(messages: InterruptedDeps["messages"], shown: Shown, turnId: string): Promise<void> {
  const { content } = await messages.read(shown);
  if (content.endsWith(interruptedMark)) return;
  const room = CONTENT_LIMIT - interruptedMark.length - 1;
  // All of it: a message that is being written leaves more room than that.
  const [kept] = split(content, () => room);
  const marked = `${kept ? partText(kept).trimEnd() : ""}\n${interruptedMark}`;
  await messages.edit(shown, { content: marked, components: againRows(turnId) });
}

/** What answers no interaction is reached by channel and message id. */
function shownAt(place: AnswerPlace): Shown {
  const { channelId, messageId, applicationId, interactionToken, interactionAt } = place;
  const via = interactionToken ? { applicationId, token: interactionToken, at: interactionAt } : undefined;
  return { channelId, messageId: messageId ?? undefined, ephemeral: false, via };
}
