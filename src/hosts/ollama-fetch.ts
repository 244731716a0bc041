import { z } from "zod";
import { isWisError, WisError } from "../errors.ts";

/** Which host is asked, for the words of its errors. */
export interface Asked {
  name: string;
  url: string;
  /** Absent when the request is about no model. */
  model?: string;
}

/** No line of an answer comes near: what is longer is not Ollama, and must not fill the memory. */
const MAX_LINE = 1_000_000;

const answerLine = z.object({ message: z.object({ content: z.string().optional() }) });
const errorLine = z.object({ error: z.string() });

/**
 * A fetch for the ollama client. The client looks at its own signal only, skips lines that are not JSON and writes
 * to stdout when it meets an unusual error body; here the caller's signal counts, every bad line ends the answer, and
 * every failure is a WisError llm.* with its cause.
 */
export function ollamaFetch(asked: Asked, signal: AbortSignal): typeof fetch {
  const request = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await send(asked, input, { ...init, signal });
    if (!response.ok) throw refusal(asked, response.status, await response.text());
    if (!response.body || !response.headers.get("content-type")?.includes("ndjson")) return response;
    return new Response(streamOf(checkedLines(asked, response.body, signal)), { headers: response.headers });
  };
  return Object.assign(request, { preconnect: fetch.preconnect });
}

async function send(
  asked: Asked,
  input: string | URL | Request,
  init: BunFetchRequestInit,
): Promise<Response> {
  try {
    // A model may load or think for longer than Bun's idle limit, and the caller's signal has the deadline.
    return await fetch(input, { ...init, timeout: false });
  } catch (error) {
    if (init.signal?.aborted) throw init.signal.reason;
    throw unreachable(asked, error);
  }
}

/** Ollama's lines as they came, one chunk each; throws at the first that is not part of an answer. */
async function* checkedLines(asked: Asked, body: ReadableStream<Uint8Array>, signal: AbortSignal) {
  const encoder = new TextEncoder();
  try {
    for await (const line of lines(asked, body)) {
      refuseBadLine(asked, line);
      yield encoder.encode(`${line}\n`);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isWisError(error) ? error : cut(asked, error);
  }
}

/** Reads nothing ahead, so that the lines before a bad one are not lost with it. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* lines(asked: Asked, body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_LINE) throw badReply(asked, new Error(`a line of over ${MAX_LINE} characters`));
    yield* parts.filter((part) => part !== "");
  }
  if (rest !== "") yield rest;
}

function refuseBadLine(asked: Asked, line: string): void {
  const parsed = parse(asked, line);
  const failed = errorLine.safeParse(parsed);
  if (failed.success) throw cut(asked, new Error(`Ollama said: ${failed.data.error}`));
  const { error } = answerLine.safeParse(parsed);
  if (error) throw badReply(asked, error);
}

function parse(asked: Asked, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw badReply(asked, error);
  }
}

function refusal(asked: Asked, status: number, body: string): WisError {
  const cause = failure(asked, `answered ${status}: ${body.slice(0, 500)}`);
  const { name, model } = asked;
  // A 404 that doesn't speak of the model is a wrong address: something else listens there.
  if (status === 404 && model !== undefined && /model\b.*not found/.test(body)) {
    return new WisError("llm.model_missing", {
      say: `The model "${model}" is not on the model server "${name}".`,
      hint: `An admin can fetch it there with: ollama pull ${model}`,
      cause,
    });
  }
  if (status === 503) {
    return new WisError("llm.host_busy", {
      say: `The model server "${name}" has too much to do right now.`,
      hint: "Ask again in a few minutes.",
      cause,
    });
  }
  return badReply(asked, cause);
}

function unreachable(asked: Asked, cause: unknown): WisError {
  return new WisError("llm.unreachable", {
    say: `The model server "${asked.name}" can't be reached.`,
    hint: "Ask an admin to see whether Ollama is running there: `wisbot doctor` tells what is wrong.",
    cause: failure(asked, "can't be reached", cause),
  });
}

/** The stream ended before the answer did. */
export function cut(asked: Asked, cause: unknown): WisError {
  return new WisError("llm.cut", {
    say: `The model server "${asked.name}" stopped in the middle of the answer.`,
    hint: "Ask again.",
    cause: failure(asked, "stopped in the middle of an answer", cause),
  });
}

/** It answered, and not as Ollama does. */
export function badReply(asked: Asked, cause: unknown): WisError {
  return new WisError("llm.bad_reply", {
    say: `The model server "${asked.name}" could not answer properly.`,
    hint: "Ask again; if it keeps failing, give the error id to an admin.",
    cause: failure(asked, "gave a reply that can't be used", cause),
  });
}

/** What the operator reads: with the address, without its password. */
function failure({ url, model }: Asked, what: string, cause?: unknown): Error {
  const address = new URL(url);
  address.username = "";
  address.password = "";
  const about = model === undefined ? "" : ` (model ${model})`;
  return new Error(`Ollama at ${address}${about} ${what}`, cause === undefined ? undefined : { cause });
}
