import { expect } from "bun:test";
import type { ConfigInput } from "../config/schema.ts";
import type { Asked, OptionValue, ShownMessage } from "./discord/index.ts";
import { type OllamaStandIn, type OpenChat, startOllama } from "./ollama.ts";
import { openTestApp, type TestApp } from "./open-test-app.ts";
import { type OpenAiStandIn, startOpenAi } from "./openai.ts";
import type { ReceivedSpan } from "./otlp.ts";

// One wisbot with a model server of each kind, for tables of what goes wrong. Every row asks as somebody new, and ends
// with `expectAftermath`: after that the servers answer again, and nothing of the row is left for the next one.

export const kinds = ["ollama", "openai"] as const;
export type Kind = (typeof kinds)[number];

/** Which server is asked follows from the model. The second of each is there to be lost. */
export const models: Record<Kind, [usual: string, rare: string]> = {
  ollama: ["llama3.2:latest", "smollm2:latest"],
  openai: ["gpt-oss", "mistral"],
};

export type HostStandIn = Omit<OllamaStandIn | OpenAiStandIn, "set"> & Pick<OllamaStandIn, "set">;

export interface FaultStage extends AsyncDisposable {
  app: TestApp;
  host(kind: Kind): HostStandIn;
  /** Nothing listens where the server was until it is called. */
  takeAway(kind: Kind): Promise<() => Promise<void>>;
  /** The next question that a server does not answer by itself. */
  nextChat(kind: Kind): Promise<OpenChat>;
  /** Ends wisbot as a crash does, and starts it again. */
  crash(): Promise<void>;
  /** The name of somebody who has asked nothing yet, and of a channel of their own. */
  newcomer(): string;
  /** Runs /wis llm in the asker's channel. */
  ask(asking: { user: string; kind?: Kind; options?: Record<string, OptionValue> }): Asked;
  expectAftermath(aftermath: Aftermath): Promise<void>;
  /** Of every row, the inference history has the attempts that `expectAftermath` was told of: asked once, for all of them. */
  expectHistory(): Promise<void>;
}

/** How it is to be after a fault, beside what is said of it. */
export interface Aftermath {
  user: string;
  kind?: Kind;
  /** As the person reads it; undefined where nothing can be shown, or nothing is wrong. */
  errorId?: string | undefined;
  /** What the trace's error is called; undefined: there is none. */
  code: string | undefined;
  /** Of every attempt in the inference history, oldest first. */
  outcomes: string[];
  /** Questions that count, because something was said. */
  counts: number;
  /** What else stands in the trace: a server's own words. */
  words?: string;
}

const QUOTA = 100;
const PEOPLE = 40;
/** Who asks after every row, and where. */
const NEXT = "next";
const FINE = ["Everything", " is", " fine."];

export async function openFaultStage(config: ConfigInput = {}): Promise<FaultStage> {
  await using opening = new AsyncDisposableStack();
  const hosts: Record<Kind, HostStandIn> = {
    ollama: await startOllama({ models: models.ollama }),
    openai: await startOpenAi({ models: models.openai }),
  };
  for (const kind of kinds) opening.defer(() => hosts[kind].stop());
  const people = Array.from({ length: PEOPLE }, (_, index) => ({ name: `person-${index}` }));
  const channels = [{ name: NEXT }, ...people];
  const app = opening.use(
    await openTestApp({
      discord: { people: [{ name: NEXT }, ...people], guilds: [{ name: "Wis Lab", channels }] },
      config: {
        ...config,
        llm: {
          hosts: kinds.map((kind) => ({ name: kind, kind, url: hosts[kind].url, slots: 1 })),
          max_requests_per_minute: 1_000,
          quotas: [{ requests: QUOTA }],
          ...config.llm,
        },
      },
    }),
  );
  const { discord, otlp } = app;
  let serve = await app.start();
  const newcomers = people.values();
  const rows: Aftermath[] = [];
  const opened = opening.move();

  function ask({ user, kind = "ollama", options }: Parameters<FaultStage["ask"]>[0]): Asked {
    return discord.invoke({
      user,
      channel: user,
      command: "wis llm",
      options: { prompt: "Why?", model: models[kind][0], ...options },
    });
  }

  const isRootOf =
    (user: string) =>
    ({ parentSpanId, attributes }: ReceivedSpan): boolean =>
      parentSpanId === "" && attributes["user.id"] === discord.user(user).id;

  /** The root of what somebody's question did, once the collector has it. Nothing else of theirs went wrong otherwise. */
  async function expectTrace({ user, errorId, code, words }: Aftermath): Promise<void> {
    const root = await otlp.waitFor(
      (span) =>
        isRootOf(user)(span) &&
        span.attributes["error.type"] === code &&
        (errorId === undefined || span.traceId === errorId),
    );
    const outcomes = otlp
      .spans()
      .filter(isRootOf(user))
      .map(({ attributes }) => attributes["error.type"]);
    expect(outcomes.filter((outcome) => outcome !== undefined && outcome !== code)).toEqual([]);
    expect(root.status.code === "ERROR").toBe(code !== undefined);
    const exceptions = otlp
      .spans()
      .filter(({ traceId }) => traceId === root.traceId)
      .flatMap(({ events }) => events.filter(({ name }) => name === "exception"));
    expect(exceptions).toHaveLength(code === undefined ? 0 : 1);
    if (words) expect(exceptions[0]?.attributes["exception.stacktrace"]).toContain(words);
  }

  /** Somebody else is answered by the same server, and nobody holds anything. */
  async function expectFree(kind: Kind): Promise<void> {
    const next = await ask({ user: NEXT, kind, options: { prompt: "And now?" } }).waitFor(ended);
    expect(next.content).toContain(FINE.join(""));
    const shown = discord.invoke({ user: NEXT, command: "wis status" });
    const status = await shown.waitFor(({ content }) => content !== "");
    expect(status.content).toContain("0 answers being written, nobody waits.");
  }

  async function expectQuota({ user, counts }: Aftermath): Promise<void> {
    const asked = discord.invoke({ user, channel: NEXT, command: "wis history" });
    const { content } = await asked.waitFor(({ content }) => content !== "");
    expect(content).toContain(`Left: ${QUOTA - counts} of ${QUOTA} questions.`);
  }

  return {
    app,
    host: (kind) => hosts[kind],
    async takeAway(kind) {
      const { port } = hosts[kind];
      await hosts[kind].stop();
      const start = { ollama: startOllama, openai: startOpenAi }[kind];
      return async () => {
        hosts[kind] = await start({ port, models: models[kind] });
      };
    },
    async nextChat(kind) {
      for (;;) {
        const chat = await hosts[kind].nextChat();
        if (!chat.closed.aborted) return chat;
      }
    },
    async crash() {
      await serve.kill("SIGKILL");
      serve = await app.start();
    },
    newcomer() {
      const { value } = newcomers.next();
      if (!value) throw new Error(`more than ${PEOPLE} rows`);
      return value.name;
    },
    ask,
    async expectAftermath(aftermath) {
      const { kind = "ollama" } = aftermath;
      hosts[kind].set({ answer: FINE, manual: false, trouble: undefined, models: models[kind] });
      await expectTrace(aftermath);
      await expectFree(kind);
      await expectQuota(aftermath);
      rows.push(aftermath);
    },
    async expectHistory() {
      const { stdout } = await app.run("llm", "history", "--limit", "1000", "--json");
      const attempts = JSON.parse(stdout) as { user: string; outcome: string; trace_id: string }[];
      for (const { user, outcomes, errorId } of rows) {
        const mine = attempts.filter((attempt) => attempt.user === discord.user(user).id).reverse();
        expect(mine.map(({ outcome }) => outcome)).toEqual(outcomes);
        const traces = errorId
          ? [errorId]
          : otlp
              .spans()
              .filter(isRootOf(user))
              .map(({ traceId }) => traceId);
        // A process that is killed takes the trace of what it was doing along.
        const traced = mine.filter(({ outcome }) => outcome !== "llm.interrupted");
        for (const { trace_id } of traced) expect(traces).toContain(trace_id);
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** It has its last text: no answer is awaited or written in it any more. */
export const ended = ({ content, buttons }: ShownMessage) =>
  content !== "" && !content.endsWith("…") && !buttons.some(({ label }) => label === "Stop");

/** The id at the end of a message that says what went wrong. */
export function errorIdIn({ content }: Pick<ShownMessage, "content">): string {
  const [, id] = /\n-# Error id `([0-9a-f]{32})`$/.exec(content) ?? [];
  if (id === undefined) throw new Error(`no error id at its end: ${content}`);
  return id;
}
