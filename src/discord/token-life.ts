import { RESTJSONErrorCodes } from "discord.js";
import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import { isDiscordCode } from "./errors.ts";

// An interaction token lives 15 minutes; a minute is kept for requests that wait for a rate limit.
const TOKEN_LIVES_MS = 15 * 60_000;
export const TOKEN_IS_USED_MS = 14 * 60_000;

export interface TokenLifeDeps<Via extends object> {
  now: Now;
  /** Interactions of which Discord has said that they are over: every further try is one more invalid request. */
  over: WeakSet<Via>;
}

/** The two ways to the same end. */
export interface Ways<Via, T> {
  /** Nothing else reaches it. */
  onlyByToken: boolean;
  byToken(via: Via): Promise<T>;
  byChannel(): Promise<T>;
}

/**
 * By the interaction `via` as long as that is open, then as the bot does what it does in any channel. `at`: when the
 * interaction came, milliseconds since the epoch. Throws WisError discord.failed where only the token would do and it is
 * over, and what the two ways throw.
 */
export async function eitherWay<Via extends { at: number }, T>(
  { now, over }: TokenLifeDeps<Via>,
  via: Via | undefined,
  { onlyByToken, byToken, byChannel }: Ways<Via, T>,
): Promise<T> {
  if (via && !over.has(via) && now() - via.at < (onlyByToken ? TOKEN_LIVES_MS : TOKEN_IS_USED_MS)) {
    try {
      return await byToken(via);
    } catch (error) {
      // Discord may end it earlier than this clock expects, as after a sleep of the machine.
      if (!isDiscordCode(error, RESTJSONErrorCodes.InvalidWebhookToken)) throw error;
      over.add(via);
      if (onlyByToken) throw error;
    }
  }
  if (onlyByToken) throw tooLate();
  return byChannel();
}

function tooLate(): WisError {
  return new WisError("discord.failed", {
    say: "Discord keeps a reply open for 15 minutes, and they are over.",
    hint: "Run the command again.",
  });
}
