import type { AnswerPlace } from "../llm/ports.ts";
import type { Asked } from "./commands/command.ts";

/** Where an answer to an interaction stands, before Discord has named its message. */
export function placeOf({ key, where }: Pick<Asked<unknown>, "key" | "where">): AnswerPlace {
  return {
    guildId: where.guildId,
    channelId: where.channelId,
    messageId: null,
    applicationId: key.applicationId,
    interactionToken: key.token,
    interactionAt: key.at,
  };
}
