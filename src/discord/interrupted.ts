import type { Llm } from "../llm/llm.ts";
import type { AnswerPlace } from "../llm/ports.ts";
import { isFinalNo } from "./errors.ts";
import { CONTENT_LIMIT, interruptedMark, truncate } from "./render.ts";
import type { Messages, Shown } from "./respond.ts";

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
    await mark(messages, shownAt(place)).catch((error) => {
      // Deleted, or out of the bot's reach by now: there is nobody left to tell.
      if (!isFinalNo(error)) throw error;
    });
    await llm.settled(id);
  }
  return rows.length;
}

async function mark(messages: InterruptedDeps["messages"], shown: Shown): Promise<void> {
  const { content } = await messages.read(shown);
  if (content.endsWith(interruptedMark)) return;
  const kept = truncate(content, CONTENT_LIMIT - interruptedMark.length - 1);
  await messages.edit(shown, { content: `${kept}\n${interruptedMark}` });
}

function shownAt({
  channelId,
  messageId,
  applicationId,
  interactionToken,
  interactionAt,
}: AnswerPlace): Shown {
  const via = { applicationId, token: interactionToken, at: interactionAt };
  return { channelId, messageId: messageId ?? undefined, ephemeral: false, via };
}
