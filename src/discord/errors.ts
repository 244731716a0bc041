import { DiscordAPIError, RateLimitError, RESTJSONErrorCodes } from "discord.js";
import { causeChain, isWisError, WisError } from "../errors.ts";
import { tokenRefused, unreachable } from "./refusals.ts";

/**
 * Says in wisbot's words what a call to Discord threw: discord.failed for a no that stays a no, discord.unreachable
 * and discord.token_refused otherwise. `doing` completes "Discord refused to …".
 */
export function fromDiscord(error: unknown, doing: string): WisError {
  if (isWisError(error)) return error;
  if (!(error instanceof DiscordAPIError)) return unreachable(error);
  // 50027 is a 401 too, but speaks of an interaction token that has run out.
  if (error.status === 401 && error.code !== RESTJSONErrorCodes.InvalidWebhookToken)
    return tokenRefused(error);
  return new WisError("discord.failed", {
    say: `Discord refused to ${doing}: ${error.message.split("\n")[0]}.`,
    hint: "Check that WisBot may see this channel, write in it and embed links; then try again.",
    cause: error,
  });
}

/** True when Discord itself answered, anywhere in the chain of causes, with one of these JSON error codes. */
export function isDiscordCode(error: unknown, ...codes: number[]): boolean {
  const answer = causeChain(error).find((one) => one instanceof DiscordAPIError);
  return typeof answer?.code === "number" && codes.includes(answer.code);
}

/**
 * True when the interaction is out of reach: not answered within 3 s (10062), or answered by somebody else (40060).
 * Nothing can be shown to the person any more.
 */
export function isInteractionLost(error: unknown): boolean {
  return isDiscordCode(
    error,
    RESTJSONErrorCodes.UnknownInteraction,
    RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged,
  );
}

/** True when trying the same again can't help: Discord understood the request and said no to it. */
export function isFinalNo(error: unknown): boolean {
  return isWisError(error, "discord.failed");
}

/** Milliseconds to wait when Discord or discord.js refused a request for its rate; undefined for any other error. */
export function rateLimitedFor(error: unknown): number | undefined {
  return causeChain(error).find((one) => one instanceof RateLimitError)?.retryAfter;
}
