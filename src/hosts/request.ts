import type { Telemetry } from "../telemetry/ports.ts";
import { type Asked, badReply, quoted, unreachable } from "./failures.ts";

/** What every driver is made from. */
export interface HostDeps {
  /** How messages and logs call it. */
  name: string;
  /** Where its API is. */
  url: string;
  /** Sent with every request. Never in an error, never in a span. */
  headers?: Readonly<Record<string, string>>;
  /** Tokens that a question may take with its answer; undefined leaves it to the host. */
  context?: number | undefined;
  telemetry: Pick<Telemetry, "span">;
}

/** The longest answers that come whole are lists of models, and those of large providers have less than 1 MB. */
const MAX_TEXT = 8_000_000;

/**
 * Asks, with the host's headers. Throws WisError llm.unreachable; rejects with the signal's reason when aborted. What
 * the status means is left to the caller; a redirection is not followed, because the headers are for this address.
 */
export async function send(
  asked: Asked,
  input: string | URL | Request,
  { signal, ...init }: BunFetchRequestInit & { signal: AbortSignal },
): Promise<Response> {
  try {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(asked.headers)) headers.set(name, value);
    // A model may load or think for longer than Bun's idle limit, and the caller's signal has the deadline.
    return await fetch(input, { ...init, headers, signal, redirect: "manual", timeout: false });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(asked, error);
  }
}

/** The beginning of a body, for the operator to read. */
export async function wordsOf(response: Response): Promise<string> {
  return await readUpTo(response, 4_000);
}

/** A whole body, bounded. Throws WisError llm.bad_reply. */
export async function textOf(asked: Asked, response: Response): Promise<string> {
  const text = await readUpTo(response, MAX_TEXT);
  if (text.length > MAX_TEXT) throw badReply(asked, new Error(`an answer of over ${MAX_TEXT} characters`));
  return text;
}

/** Throws WisError llm.bad_reply. */
export function parseJson(asked: Asked, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes what it met.
    throw badReply(asked, new Error(quoted(asked, String(error))));
  }
}

/** The body until it is longer than `limit`; leaving the loop lets go of the rest. */
async function readUpTo(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > limit) break;
  }
  return text;
}
