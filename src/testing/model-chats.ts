import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createArrivals, json } from "./model-server.ts";

/** What goes wrong with a chat. `after` counts the tokens that get through first; 0 unless said. */
export type ChatTrouble =
  /** Takes the request and never answers, not even with headers. */
  | { kind: "hang" }
  /** 503, as a full queue answers. */
  | { kind: "busy" }
  /** With the server's own sentence, as when a model does not fit into memory. 500 unless said. */
  | { kind: "refused"; error: string; status?: number }
  /** The connection breaks. Bun's fetch then drops what its reader has not taken yet. */
  | { kind: "cut"; after?: number }
  /** The connection stays open and nothing more comes. */
  | { kind: "stall"; after?: number }
  /** As `stall`, after headers that announce more than ever comes. */
  | { kind: "short"; after?: number }
  /** The stream ends properly, but without its end. */
  | { kind: "unfinished"; after?: number }
  /** A line that is not JSON. */
  | { kind: "garbage"; after?: number }
  /** An error in the middle of the stream, as when the runner dies. */
  | { kind: "error"; after?: number; error: string };

/** What it says, or what it only thinks. */
export type ScriptedToken = string | { thinking: string };

/** What came with a question. */
export interface GivenWith {
  /** The questions before it, oldest first. */
  earlier: string[];
  /** How many images the question itself has. */
  images: number;
}

export interface ChatOptions {
  /** The tokens of every answer. */
  answer?: ScriptedToken[] | ((prompt: string, given: GivenWith) => ScriptedToken[]);
  /** Default: as fast as they can be written. */
  tokensPerSecond?: number;
  /** Nothing is answered by itself: the test writes each token through `nextChat` or `emit`. */
  manual?: boolean;
  trouble?: ChatTrouble | undefined;
}

/** A chat that a client has open. */
export interface OpenChat {
  readonly prompt: string;
  /** Aborted as soon as the connection is gone, whoever closed it. */
  readonly closed: AbortSignal;
  token(text: string): Promise<void>;
  thinking(text: string): Promise<void>;
  /** The first half of a token's line, which nothing ends. */
  halfToken(text: string): Promise<void>;
  /** Any line, JSON or not. */
  line(text: string): Promise<void>;
  finish(reason?: string): Promise<void>;
  /** Ends the stream without its end. */
  end(): void;
  /** Breaks the connection. */
  cut(): void;
}

/** What a test sees of a stand-in's chats. */
export interface SeenChats {
  /** Chats whose client left before their end. */
  readonly aborted: number;
  /** Resolves once a client has left a chat before its end. */
  abandoned(): Promise<void>;
  /** Chats that are open now. */
  readonly open: number;
  /** The next chat that nobody has taken yet, in order of arrival; waits for one. */
  nextChat(): Promise<OpenChat>;
  /** Writes a token into the oldest open chat; waits for a chat. */
  emit(token: string): Promise<void>;
}

/** How an answer ended. */
export interface ChatEnd {
  reason: string;
  tokens: number;
  text: string;
  durationMs: number;
}

/** A kind of server's own words for an answer, each ready to be written with a line end after it. */
export interface Wire {
  contentType: string;
  token(text: string): string;
  thinking(text: string): string;
  error(said: string): string;
  last(end: ChatEnd): string;
  /** The whole answer, for a client that does not stream. */
  whole(end: ChatEnd): unknown;
  garbage: string;
  /** The body of a refusal. */
  refusal(said: string): unknown;
}

/** A question as it came. */
export interface AskedChat {
  prompt: string;
  given: GivenWith;
  streams: boolean;
  /** Makes the model ready; ends early when `closed` is aborted. */
  load(closed: AbortSignal): Promise<void>;
  /** Called with every token. */
  onToken(): void;
}

const DEFAULT_ANSWER = ["Hello", "!", " How", " can", " I", " help", " you", " today", "?"];
const BUSY = "server busy, please try again.  maximum pending requests exceeded";

/** The chats of one stand-in: answers each by its script, or lets a test answer. */
export function createChats() {
  const open = new Set<OpenChat>();
  const arrivals = createArrivals<OpenChat>();
  const left = Promise.withResolvers<void>();
  let aborted = 0;

  async function hold(asked: AskedChat, wire: Wire, response: ServerResponse, options: ChatOptions) {
    const { trouble, manual } = options;
    const one = openChat(asked, wire, response, trouble);
    one.closed.addEventListener("abort", () => {
      if (!open.delete(one) || response.writableEnded) return;
      aborted += 1;
      left.resolve();
    });
    open.add(one);
    arrivals.arrive(one);
    if (trouble?.kind === "hang") return;
    if (trouble?.kind === "busy") return json(response, 503, wire.refusal(BUSY));
    if (trouble?.kind === "refused")
      return json(response, trouble.status ?? 500, wire.refusal(trouble.error));
    if (manual) return;
    await asked.load(one.closed);
    await play(one, asked.given, options);
    if (trouble === undefined) await one.finish();
    else await go(trouble, one, wire, response);
  }

  async function play(
    one: OpenChat,
    given: GivenWith,
    { answer = DEFAULT_ANSWER, tokensPerSecond, trouble }: ChatOptions,
  ) {
    const tokens = typeof answer === "function" ? answer(one.prompt, given) : answer;
    const after = trouble === undefined ? tokens.length : "after" in trouble ? trouble.after : 0;
    for (const [index, token] of tokens.slice(0, after ?? 0).entries()) {
      if (tokensPerSecond !== undefined && index > 0) await pause(1000 / tokensPerSecond, one.closed);
      if (one.closed.aborted) return;
      await (typeof token === "string" ? one.token(token) : one.thinking(token.thinking));
    }
  }

  function openChat(
    asked: AskedChat,
    wire: Wire,
    response: ServerResponse,
    trouble: ChatTrouble | undefined,
  ): OpenChat {
    const startedAt = performance.now();
    const closing = new AbortController();
    const said: string[] = [];
    let tokens = 0;
    response.once("close", () => closing.abort());
    const send = async (bytes: string) => {
      if (closing.signal.aborted) return;
      if (!response.headersSent) writeHead(response, wire, trouble);
      if (!response.write(bytes)) await Promise.race([once(response, "drain"), aborting(closing.signal)]);
    };
    const line = (value: string) => send(`${value}\n`);
    const write = async (value: string) => {
      asked.onToken();
      tokens += 1;
      if (asked.streams) await line(value);
    };
    const leave = (end: () => void) => {
      open.delete(one);
      end();
    };
    const one: OpenChat = {
      prompt: asked.prompt,
      closed: closing.signal,
      token: (value) => {
        said.push(value);
        return write(wire.token(value));
      },
      thinking: (value) => write(wire.thinking(value)),
      halfToken(value) {
        const whole = wire.token(value);
        return send(whole.slice(0, whole.length / 2));
      },
      line,
      async finish(reason = "stop") {
        const end = { reason, tokens, text: said.join(""), durationMs: performance.now() - startedAt };
        if (!asked.streams) return leave(() => json(response, 200, wire.whole(end)));
        await line(wire.last(end));
        leave(() => response.end());
      },
      end: () => leave(() => response.end()),
      cut: () => leave(() => response.destroy()),
    };
    return one;
  }

  const seen: SeenChats = {
    get aborted() {
      return aborted;
    },
    abandoned: () => left.promise,
    get open() {
      return open.size;
    },
    nextChat: arrivals.next,
    async emit(token) {
      const [oldest] = open;
      await (oldest ?? (await arrivals.next())).token(token);
    },
  };
  return { seen, hold };
}

function writeHead(response: ServerResponse, { contentType }: Wire, trouble: ChatTrouble | undefined): void {
  const announced = trouble?.kind === "short" && { "content-length": "1000000" };
  response.writeHead(200, { "content-type": contentType, ...announced });
}

async function go(trouble: ChatTrouble, chat: OpenChat, wire: Wire, response: ServerResponse): Promise<void> {
  if (!response.headersSent) {
    writeHead(response, wire, trouble);
    response.flushHeaders();
  }
  if (trouble.kind === "cut") return chat.cut();
  if (trouble.kind === "unfinished") return chat.end();
  if (trouble.kind === "garbage") {
    await chat.line(wire.garbage);
    return chat.finish();
  }
  if (trouble.kind !== "error") return;
  await chat.line(wire.error(trouble.error));
  chat.end();
}

function aborting(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

/** Waits, or less when the client leaves. */
export async function pause(milliseconds: number, closed: AbortSignal): Promise<void> {
  const done = new AbortController();
  const timer = delay(milliseconds, undefined, { signal: done.signal }).catch((error: unknown) => {
    if (!done.signal.aborted) throw error;
  });
  await Promise.race([timer, aborting(closed)]);
  done.abort();
}
