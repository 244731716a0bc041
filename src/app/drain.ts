import type { Bot } from "../discord/bot.ts";
import { WisError } from "../errors.ts";
import { within } from "../lib/within.ts";
import type { Llm } from "../llm/llm.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { WebServer } from "../web/serve.ts";

// From the signal to the end of the process 10 s at most, whatever hangs. The app has 8.5 of them: 7 for what runs, 1 for
// the connection to Discord, the rest for the database. After it the telemetry has 1.
const APP_MS = 8_500;
const DRAIN_MS = 7_000;
const DISCONNECT_MS = 1_000;
const TRANSFERS_MS = 6_000;
/** Answers may go on so long; what is unfinished then is marked interrupted, which takes an edit each. */
const ANSWERS_MS = 5_000;

export interface Running {
  web: Pick<WebServer, "stop">;
  bot: Pick<Bot, "drain" | "close"> | undefined;
  llm: Pick<Llm, "idle" | "interruptAll">;
  background: readonly Promise<void>[];
  /** Ends what runs in the background. */
  stopping: AbortController;
  /** Cuts the attachments that the bot is taking. */
  closing: AbortController;
  telemetry: Pick<Telemetry, "log" | "record">;
}

/**
 * Lets what runs come to its end, cuts what takes too long, and takes the bot off Discord, in at most 8 s. Never rejects.
 */
export async function drain({ web, bot, llm, background, ...running }: Running): Promise<void> {
  const { stopping, closing, telemetry } = running;
  stopping.abort(shuttingDown());
  const transfers = setTimeout(() => closing.abort(shuttingDown()), TRANSFERS_MS);
  const answers = async () => {
    await within(ANSWERS_MS, llm.idle());
    llm.interruptAll();
    await llm.idle();
  };
  const end = (what: string, work: Promise<void> | undefined) =>
    ending(telemetry, { what, ms: DRAIN_MS, work });
  await Promise.all([
    end("requests to the web", web.stop(TRANSFERS_MS)),
    end("what was asked in Discord", bot?.drain()),
    end("answers", answers()),
    ...background.map((work) => end("work in the background", work)),
  ]);
  clearTimeout(transfers);
  await ending(telemetry, { what: "the connection to Discord", ms: DISCONNECT_MS, work: bot?.close() });
}

/** Closes everything that the app has opened, its drain included, in at most 8.5 s. Never rejects. */
export async function closeApp(opened: AsyncDisposableStack, telemetry: Running["telemetry"]): Promise<void> {
  await ending(telemetry, { what: "closing the database", ms: APP_MS, work: opened.disposeAsync() });
}

interface Ending {
  what: string;
  /** Its time, in milliseconds. */
  ms: number;
  work: Promise<void> | undefined;
}

/**
 * Waits for `work`, and says what is left when its time is up. What fails is recorded: it must neither cut short the
 * others nor hide why wisbot ends.
 */
async function ending(telemetry: Running["telemetry"], { what, ms, work }: Ending): Promise<void> {
  const ended = Promise.resolve(work)
    .catch((error: unknown) => void telemetry.record(error, `ending: ${what}`))
    .then(() => true);
  if (await within(ms, ended)) return;
  telemetry.log.warn({}, `Left unfinished, because its time to end was up: ${what}`);
}

function shuttingDown(): WisError {
  return new WisError("shutting_down", {
    say: "WisBot is shutting down.",
    hint: "Send the file again in a minute.",
  });
}
