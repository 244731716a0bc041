import type { Origin } from "../announce/ports.ts";
import type { Shown } from "./respond.ts";

// The reply that gave somebody their upload link. It is ephemeral: upload links are shown to their owner alone.

/** An interaction token lives 15 minutes: https://discord.com/developers/docs/interactions/receiving-and-responding. A minute is kept for requests under way. */
const REACHABLE_MS = 14 * 60_000;

export function isReachable({ interactionAt }: Origin, now: number): boolean {
  return now - interactionAt < REACHABLE_MS;
}

export function replyTo({ channelId, applicationId, interactionToken, interactionAt }: Origin): Shown {
  const via = { applicationId, token: interactionToken, at: interactionAt };
  return { channelId, messageId: undefined, ephemeral: true, via };
}
