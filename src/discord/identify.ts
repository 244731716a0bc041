import { type IIdentifyThrottler, type REST, type RESTGetAPIGatewayBotResult, Routes } from "discord.js";
import type { Now } from "../lib/clock.ts";
import type { Log } from "../telemetry/ports.ts";
import { type Timers, wait } from "./timers.ts";

/** Milliseconds. */
export interface Pace {
  /** Between a first and a second try. */
  first: number;
  /** Between any two tries. */
  longest: number;
}

/** A wait that doubles with each try in a row, less up to half of it, so that many bots don't come back at once. */
export function backOff({ first, longest }: Pace, tries: number): number {
  return Math.min(first * 2 ** tries, longest) * (0.5 + Math.random() / 2);
}

export interface IdentifyDeps {
  rest: REST;
  log: Log;
  timers: Timers;
  now: Now;
  pace: Pace;
}

/** How many sessions Discord still grants: 1000 IDENTIFYs in 24 hours make it reset the bot's token. */
export async function sessionsLeft(rest: REST): Promise<{ remaining: number; resetAfter: number }> {
  const { session_start_limit } = (await rest.get(Routes.gatewayBot())) as RESTGetAPIGatewayBotResult;
  return { remaining: session_start_limit.remaining, resetAfter: session_start_limit.reset_after };
}

/** A session that lasted this long makes the next one a first try again. */
const STABLE_MS = 60_000;

/**
 * Paces IDENTIFYs where discord.js would send one every 5 s for ever: later and later while no session lasts, and not
 * at all while Discord grants none.
 */
export function createIdentifyThrottler({ rest, log, timers, now, pace }: IdentifyDeps): IIdentifyThrottler {
  let last = Number.NEGATIVE_INFINITY;
  let tries = 0;

  async function waitForSessions(signal: AbortSignal): Promise<void> {
    const left = await sessionsLeft(rest).catch((error) => {
      log.warn({ err: error }, "Discord did not say how many sessions are left; identifying once");
      return undefined;
    });
    if (left?.remaining !== 0) return;
    log.warn(
      { resetAfterMs: left.resetAfter },
      "Discord grants no more sessions today; waiting for its reset",
    );
    await wait(timers, left.resetAfter, signal);
  }

  return {
    async waitForIdentify(_shardId, signal) {
      tries = now() - last > STABLE_MS ? 0 : tries + 1;
      if (last > 0) {
        await wait(timers, Math.max(0, last + backOff(pace, tries) - now()), signal);
        await waitForSessions(signal);
      }
      last = now();
    },
  };
}
