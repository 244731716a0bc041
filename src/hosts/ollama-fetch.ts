import { z } from "zod";
import { isWisError, type WisError } from "../errors.ts";
import { type Asked, badReply, quoted, refusal } from "./failures.ts";
import { parseJson, send, textOf, wordsOf } from "./request.ts";

/** What is expected of a streamed answer, and what its failures mean. */
export interface StreamRules {
  /** What each of its lines is. */
  line: z.ZodType;
  /** A status other than 2xx in its place. */
  refused(asked: Asked, status: number, words: string): WisError;
  /** It ended before its end, or says itself that it failed. */
  failed(asked: Asked, cause: Error): WisError;
}

/** No line of an answer comes near: what is longer is not Ollama, and must not fill the memory. */
const MAX_LINE = 1_000_000;

const errorLine = z.object({ error: z.string() });

/**
 * A fetch for the ollama client. The client looks at its own signal only, skips lines that are not JSON and writes
 * to stdout when it meets an unusual error body; here the caller's signal counts, every bad line ends the answer,
 * everything is bounded, and every failure is a WisError llm.* with its cause. Without `rules` the answer comes whole.
 */
export function ollamaFetch(asked: Asked, signal: AbortSignal, rules?: StreamRules): typeof fetch {
  const request = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await send(asked, input, { ...init, signal });
    if (!response.ok) {
      throw (rules?.refused ?? refusal)(asked, response.status, await wordsOf(response));
    }
    const type = response.headers.get("content-type") ?? "nothing";
    const headers = { "content-type": type };
    if (rules === undefined) {
      const text = await textOf(asked, response);
      parseJson(asked, text);
      return new Response(text, { headers });
    }
    if (!response.body || !type.includes("ndjson")) {
      throw badReply(asked, new Error(`${type} in place of a stream`));
    }
    return new Response(streamOf(checkedLines(asked, response.body, signal, rules)), { headers });
  };
  return Object.assign(request, { preconnect: fetch.preconnect });
}

/** Ollama's lines as they came, one chunk each; throws at the first that is not part of an answer. */
async function* checkedLines(
  asked: Asked,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  rules: StreamRules,
) {
  const encoder = new TextEncoder();
  try {
    for await (const line of lines(asked, body)) {
      refuseBadLine(asked, line, rules);
      yield encoder.encode(`${line}\n`);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isWisError(error) ? error : rules.failed(asked, error as Error);
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

/** The lines of a stream, empty ones left out. Throws WisError llm.bad_reply for one without an end. */
export async function* lines(asked: Asked, body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
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

function refuseBadLine(asked: Asked, line: string, rules: StreamRules): void {
  const parsed = parseJson(asked, line);
  const failed = errorLine.safeParse(parsed);
  if (failed.success)
    throw rules.failed(asked, new Error(`Ollama said: ${quoted(asked, failed.data.error)}`));
  const { error } = rules.line.safeParse(parsed);
  if (error) throw badReply(asked, error);
}
