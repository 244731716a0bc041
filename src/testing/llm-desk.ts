import { createOllamaHost } from "../hosts/ollama.ts";
import { systemNow } from "../lib/clock.ts";
import { createLlm, type LlmDeps } from "../llm/desk.ts";
import type { Answer, AnswerEvent, Attachment, Llm, Question, Spot } from "../llm/llm.ts";
import { createPace } from "../llm/pace.ts";
import { createPool } from "../llm/pool.ts";
import type { AnswerPlace, TurnLog } from "../llm/ports.ts";
import { createTokenCounter } from "../llm/token-count.ts";
import { createUsage } from "../llm/usage.ts";
import type { LlmLimits } from "../members/limits.ts";
import type { Member } from "../members/member.ts";
import { createFairQueue } from "../queue/fair-queue.ts";
import { openTestStore } from "../store/open-test-store.ts";
import { type OllamaOptions, type OllamaStandIn, startOllama } from "./ollama.ts";
import { openTestTelemetry } from "./telemetry.ts";

export interface TestLlmOptions {
  /** One stand-in each. Default: one. */
  hosts?: { ollama?: OllamaOptions; slots?: number; priority?: number; models?: string[] }[];
  maxQueue?: number;
  timeout?: number;
  perMinute?: number;
  limits?: Partial<LlmLimits>;
  config?: Partial<LlmDeps["config"]>;
  /** What stands between the desk and the real rows. */
  log?(log: TurnLog): TurnLog;
}

export type TestLlm = Awaited<ReturnType<typeof openTestLlm>>;

export const place: AnswerPlace = {
  guildId: "1",
  channelId: "2",
  messageId: null,
  applicationId: "3",
  interactionToken: "token",
  interactionAt: 4,
};

export const member = (id: string, moderator = false, guildId: string | null = "1"): Member => ({
  id,
  name: id,
  asker: { guildId, roleIds: [] },
  moderator,
});

/** A question whose place needs no making. */
export interface AskedHere extends Omit<Question, "spot" | "where" | "attachments">, Partial<Spot> {
  attachments?: Attachment[];
  parentChannelId?: string;
}

export function questionOf({ attachments, parentChannelId, ...asked }: AskedHere): Question {
  const spot: Spot = { place, talk: { kind: "chain" }, ...asked };
  return {
    ...asked,
    where: { ...spot.place, parentChannelId },
    attachments: attachments && (async () => attachments),
    spot: async () => spot,
  };
}

/** The desk in front of a real queue, the real client, real HTTP and a real database. */
export async function openTestLlm(options: TestLlmOptions = {}) {
  const { hosts = [{}], maxQueue = 100, timeout = 60_000, perMinute = 1000, log = (it) => it } = options;
  const unlimited: LlmLimits = { requests: undefined, tokens: undefined, gpuMs: undefined, priority: 0 };
  await using stack = new AsyncDisposableStack();
  const ollamas: OllamaStandIn[] = [];
  for (const { ollama } of hosts) ollamas.push(stack.use(await startOllama(ollama)));
  const { store, dataDir } = stack.use(await openTestStore());
  const opened = stack.use(await openTestTelemetry());
  const { telemetry, metrics } = opened;
  const closing = new AbortController();
  const limits = {
    maxRequestsPerMinute: perMinute,
    llm: () => ({ ...unlimited, ...options.limits }),
  };

  /** Another desk on the same rows, as the next process has it. */
  function open(turns: TurnLog): {
    llm: Llm;
    queue: ReturnType<typeof createFairQueue>;
    pool: ReturnType<typeof createPool>;
  } {
    const named = hosts.map(({ slots = 1, priority = 0, models = [] }, index) => ({
      name: hosts.length === 1 ? "local" : `host${index + 1}`,
      slots,
      priority,
      models,
      url: ollamas[index]?.url ?? "",
    }));
    const queue = createFairQueue({ hosts: named, maxQueue });
    const pool = createPool({
      hosts: named.map((host) => ({
        ...host,
        context: undefined,
        host: createOllamaHost({
          name: host.name,
          url: host.url,
          headers: {},
          context: undefined,
          telemetry,
        }),
      })),
      active: queue.active,
      now: systemNow,
      telemetry,
    });
    const llm = createLlm({
      pool,
      queue,
      turns,
      attempts: store.attempts,
      choices: store.llmChoices,
      usage: createUsage({
        log: store.usage,
        limits,
        period: 86_400_000,
        nameOf: (id) => `hash of ${id}`,
        telemetry,
        now: systemNow,
      }),
      counter: createTokenCounter(),
      pace: createPace({ slots: () => named.length }),
      limits,
      telemetry,
      metrics,
      config: {
        model: "llama3.2",
        allow_models: [],
        pull: "moderators",
        keep_alive: 60_000,
        keep_content: false,
        timeout,
        ...options.config,
      },
      roomOn: async () => undefined,
      closing: closing.signal,
      now: systemNow,
    });
    return { llm, queue, pool };
  }

  const { llm, queue, pool } = open(log(store.turns));
  const [ollama] = ollamas;
  if (!ollama) throw new Error("a desk needs a host");
  const moved = stack.move();
  return {
    ollama,
    ollamas,
    llm,
    queue,
    pool,
    telemetry,
    metrics,
    store,
    dataDir,
    turns: store.turns,
    lines: opened.lines,
    restarted: () => open(store.turns).llm,
    ask(userId = "ann", prompt = "Hi", more: Partial<AskedHere> = {}) {
      return llm.ask(questionOf({ member: member(userId), prompt, ...more }));
    },
    async [Symbol.asyncDispose]() {
      llm.interruptAll();
      closing.abort(new Error("the test is over"));
      await llm.idle();
      await moved.disposeAsync();
    },
  };
}

/** All text of an answer, its other events, and what ended it. */
export async function read(answer: Answer, onEvent: (event: AnswerEvent) => void = () => {}) {
  const events: AnswerEvent[] = [];
  let text = "";
  try {
    for await (const event of answer.events) {
      if (event.type === "text") text += event.text;
      else events.push(event);
      onEvent(event);
    }
  } catch (error) {
    return { text, events, error };
  }
  return { text, events, error: undefined };
}
