import { isFinalNo } from "./errors.ts";
import { truncate } from "./render.ts";
import type { Messages } from "./respond.ts";

/** https://discord.com/developers/docs/resources/channel#start-thread-from-message */
const LONGEST_NAME = 100;

/** Stands where an answer was to be in a thread. */
export const NO_THREAD = "Discord does not let me open a thread here, so the answer is in the channel.";

/** Opens a thread for a question under a message; gives its id. Undefined: Discord does not allow it there. */
export async function openThread(
  messages: Pick<Messages, "startThread">,
  { channelId, messageId, question }: { channelId: string; messageId: string; question: string },
): Promise<string | undefined> {
  const name = truncate(question.replace(/\s+/g, " ").trim(), LONGEST_NAME) || "Question";
  try {
    return await messages.startThread(channelId, messageId, name);
  } catch (error) {
    if (isFinalNo(error)) return undefined;
    throw error;
  }
}
