import { isWisError } from "../errors.ts";
import { createBell } from "../lib/bell.ts";
import type { Now } from "../lib/clock.ts";
import { sleep } from "../lib/sleep.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Announcement, AnnouncementLog, Messenger } from "./ports.ts";
import { retryDelay } from "./retry.ts";

export interface OutboxDeps {
  announcements: Omit<AnnouncementLog, "drop">;
  messenger: Messenger;
  telemetry: Pick<Telemetry, "span" | "record" | "log">;
  metrics: Metrics["outbox"];
  now: Now;
  /** From 0 to 1. */
  random?: () => number;
}

/** Sees to it that every announcement in the log reaches its person, across restarts and outages. */
export interface Outbox {
  /** Something was put into the log. */
  wake(): void;
  /** Works until the signal is aborted and the deliveries in progress have ended. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Deliveries at once: one slow channel must not hold up the others. */
const LANES = 4;
/** A database that fails to say what is due, or to note what was done, is asked again after this. */
const RECOVERY = 5_000;

export function createOutbox(deps: OutboxDeps): Outbox {
  const { announcements, telemetry, metrics, now } = deps;
  const bell = createBell();
  const inFlight = new Map<string, Promise<void>>();
  metrics.waiting.addCallback(async (gauge) => gauge.observe(await announcements.waiting()));

  async function deliver(announcement: Announcement, attempts: number, signal: AbortSignal): Promise<void> {
    try {
      await attempt(deps, announcement, attempts);
    } catch (error) {
      // The row stays due and is sent again; its nonce keeps that from showing twice.
      telemetry.record(error, "noting what became of an announcement");
      await sleep(RECOVERY, signal);
    } finally {
      inFlight.delete(announcement.id);
      bell.ring();
    }
  }

  /** Starts what is due, as far as lanes are free. Gives how long nothing more can fall due, milliseconds. */
  async function startDue(signal: AbortSignal): Promise<number> {
    const free = LANES - inFlight.size;
    if (free === 0) return Number.POSITIVE_INFINITY;
    const due = await announcements.due(now(), LANES + free);
    const fresh = due.filter(({ announcement }) => !inFlight.has(announcement.id)).slice(0, free);
    for (const { announcement, attempts } of fresh) {
      inFlight.set(announcement.id, deliver(announcement, attempts + 1, signal));
    }
    // What is in flight still counts as due; its end rings.
    if (inFlight.size > 0) return Number.POSITIVE_INFINITY;
    const nextAt = await announcements.nextDueAt();
    return nextAt === undefined ? Number.POSITIVE_INFINITY : nextAt - now();
  }

  return {
    wake: bell.ring,
    async run(signal) {
      while (!signal.aborted) {
        const pause = await startDue(signal).catch((error: unknown) => {
          telemetry.record(error, "reading the outbox");
          return RECOVERY;
        });
        await bell.wait(pause, signal);
      }
      await Promise.all(inFlight.values());
    },
  };
}

/** One delivery and what becomes of its row. `attempts` counts this one. Throws only what the log throws. */
async function attempt(deps: OutboxDeps, announcement: Announcement, attempts: number): Promise<void> {
  const { announcements, messenger, telemetry, metrics, now, random = Math.random } = deps;
  const { id, kind } = announcement;
  const attributes = { [attribute.announcementKind]: kind, [attribute.attempt]: attempts };

  await telemetry.span(`announce ${kind}`, { root: true, attributes }, async () => {
    try {
      await messenger.deliver(announcement);
    } catch (error) {
      if (kind === "file.expiring" && isWisError(error, "announce.undeliverable")) {
        // Nobody asked for it: who takes no direct messages has not wanted to be told.
        telemetry.log.info(attributes, "an owner can't be told in Discord that a file goes");
        return await announcements.delivered(id);
      }
      telemetry.record(error, "delivering an announcement");
      if (isWisError(error, "announce.undeliverable")) {
        metrics.failed.add(1);
        return await announcements.failed(id, now());
      }
      metrics.retried.add(1);
      return await announcements.retryAt(id, now() + retryDelay(attempts, random()), attempts);
    }
    metrics.delivered.add(1);
    await announcements.delivered(id);
  });
}
