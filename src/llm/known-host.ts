import { isWisError, toWisError, WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import { count } from "../lib/count.ts";
import { formatDuration } from "../lib/duration.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { createBreaker } from "./breaker.ts";
import { matchesAny, tagged } from "./model-name.ts";
import type { HostHealth, HostModel, LoadedModel, ModelDescription, ModelHost } from "./ports.ts";

/** A host and what the configuration says of it. */
export interface PoolHost {
  host: ModelHost;
  /** Answers at once. */
  slots: number;
  /** Higher is asked first. */
  priority: number;
  /** Patterns of the only models that it is asked for; empty: all. */
  models: readonly string[];
  /** Tokens, where the host does not say. */
  context?: number | undefined;
}

export interface KnownHostDeps {
  now: Now;
  telemetry: Pick<Telemetry, "log">;
  /** Waits; false as soon as the signal ends the wait. */
  wait: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

/** As many models of a host are remembered. */
const MOST_MODELS = 500;
const ANSWERS_WITHIN_MS = 2_000;
const COUNTS_AS_FAILURE = [
  "llm.unreachable",
  "llm.host_busy",
  "llm.bad_reply",
  "llm.timeout",
  "llm.cut",
] as const;

export type KnownHost = ReturnType<typeof createKnownHost>;

/** What is known of one host, from memory; and asking it for more. */
export function createKnownHost(initial: PoolHost, { now, telemetry, wait }: KnownHostDeps) {
  const { name } = initial.host;
  const breaker = createBreaker({ now });
  const described = new Map<string, ModelDescription>();
  const describing = new Map<string, Promise<ModelDescription | undefined>>();
  let settings = initial;
  /** Undefined until it has been asked once. */
  let held: Map<string, HostModel> | undefined;
  let holdsMore = false;
  let loaded = new Map<string, LoadedModel>();
  /** Why it could not be looked at last time. */
  let problem: WisError | undefined;
  let failure: WisError | undefined;
  let looking: Promise<void> | undefined;
  let lastDescribed: Promise<unknown> = Promise.resolve();

  async function lookOnce(signal: AbortSignal | undefined): Promise<void> {
    const { host } = settings;
    try {
      const [models, inMemory] = await inTime(signal, (limited) =>
        Promise.all([host.models(limited), host.loaded(limited)]),
      );
      held = byName(models);
      holdsMore = models.length > MOST_MODELS;
      loaded = byName(inMemory);
      for (const key of described.keys()) if (!held.has(key)) described.delete(key);
      if (problem) telemetry.log.info({ [attribute.host]: name }, "LLM: the model server answers again");
      problem = undefined;
    } catch (error) {
      if (signal?.aborted) return;
      // One that is away from the start is told of by doctor's checks, which say what mends it.
      if (!problem && held)
        telemetry.log.warn({ err: error, [attribute.host]: name }, "LLM: a model server does not answer");
      problem = toWisError(error);
      loaded = new Map();
    }
  }

  async function inTime<T>(
    signal: AbortSignal | undefined,
    ask: (limited: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limit = new AbortController();
    const answered = new AbortController();
    void wait(ANSWERS_WITHIN_MS, answered.signal).then((isOver) => isOver && limit.abort(tooSlow(name)));
    try {
      return await ask(signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
    } finally {
      answered.abort();
      // Where one of two questions failed, the other is not waited for.
      limit.abort();
    }
  }

  async function askAbout(model: string): Promise<ModelDescription | undefined> {
    if (problem) return undefined;
    try {
      const description = await inTime(undefined, (limited) => settings.host.describe(model, limited));
      described.set(tagged(model), description);
      const [oldest] = described.keys();
      if (described.size > MOST_MODELS && oldest !== undefined) described.delete(oldest);
      return description;
    } catch (error) {
      telemetry.log.debug({ err: error, [attribute.host]: name }, "What a model can is not known.");
      return undefined;
    }
  }

  const isAsked = (model: string) => settings.models.length === 0 || matchesAny(settings.models, model);
  const mayHold = (model: string) => isAsked(model) && (!held || holdsMore || held.has(tagged(model)));

  return {
    get settings() {
      return settings;
    },
    /** Another configuration for the same host. */
    configure(next: PoolHost): void {
      settings = next;
    },
    /** Asks what it holds and has loaded; a look that is under way is waited for. Never rejects. */
    look(signal?: AbortSignal): Promise<void> {
      looking ??= lookOnce(signal).finally(() => {
        looking = undefined;
      });
      return looking;
    },
    get isKnown() {
      return held !== undefined || problem !== undefined;
    },
    get isHealthy() {
      return problem === undefined;
    },
    get restsUntil() {
      return breaker.restsUntil;
    },
    get failure() {
      return failure;
    },
    accepts: breaker.accepts,
    /** False only where it is known not to hold the model, or must not be asked for it. */
    mayHold,
    isWarm: (model: string) => loaded.has(tagged(model)),
    /** What it holds and may be asked for; nothing while it does not answer. */
    models: () => (problem || !held ? [] : [...held.values()].filter((model) => isAsked(model.name))),

    /** A question about that model went well. */
    succeeded(model: string): void {
      breaker.succeeded();
      const key = tagged(model);
      if (!loaded.has(key) && loaded.size < MOST_MODELS)
        loaded.set(key, { name: model, size: 0, sizeVram: 0 });
    },
    /** A question failed before anything was said. Stopped ones do not count, nor does a model that is not there. */
    failed(error: unknown): void {
      if (!isWisError(error, ...COUNTS_AS_FAILURE)) return;
      failure = error;
      const before = breaker.restsUntil;
      breaker.failed();
      if (breaker.restsUntil !== before)
        telemetry.log.warn(
          { err: error, [attribute.host]: name },
          "LLM: a model server rests after failures",
        );
    },

    /** What the model can, asked once; one question at a time. Undefined where the host does not say. */
    describe(model: string): Promise<ModelDescription | undefined> {
      const key = tagged(model);
      const known = described.get(key);
      if (known) return Promise.resolve(known);
      const underWay = describing.get(key);
      if (underWay) return underWay;
      if (describing.size >= MOST_MODELS) return Promise.resolve(undefined);
      const asking = lastDescribed
        .then(() => askAbout(model))
        .finally(() => {
          describing.delete(key);
        });
      describing.set(key, asking);
      lastDescribed = asking;
      return asking;
    },
    /** Tokens that the model takes there, as far as known; `wanted` where it can take so many. */
    contextOf(model: string, wanted?: number): number | undefined {
      const key = tagged(model);
      const said = loaded.get(key)?.context ?? described.get(key)?.context ?? settings.context;
      if (wanted === undefined) return said;
      // Only Ollama can be told how many to take, up to what the model was made for.
      const most = settings.host.kind === "ollama" ? described.get(key)?.maxContext : said;
      return Math.min(wanted, most ?? wanted);
    },
    health(active: number): HostHealth {
      const { slots } = settings;
      const until = breaker.restsUntil;
      if (until !== undefined)
        return {
          name,
          state: "resting",
          detail: `${failure?.say} ${whenNext(until - now())}`,
          active,
          slots,
        };
      if (problem) return { name, state: "resting", detail: problem.say, active, slots };
      if (!held) return { name, state: "unknown", detail: "It has not been asked yet.", active, slots };
      const detail = `${count(held.size, "model")}, ${inWords([...loaded.values()])} loaded`;
      return { name, state: "ok", detail, active, slots };
    },
  };
}

function byName<T extends { name: string }>(models: readonly T[]): Map<string, T> {
  return new Map(models.slice(0, MOST_MODELS).map((model) => [tagged(model.name), model]));
}

const MOST_NAMES = 3;

function inWords(models: readonly { name: string }[]): string {
  if (models.length === 0) return "none";
  const names = models.slice(0, MOST_NAMES).map(({ name }) => name.replace(/:latest$/, ""));
  const more = models.length - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}

function whenNext(ms: number): string {
  return ms > 0 ? `It is tried again in ${formatDuration(ms)}.` : "It is tried again with the next question.";
}

function tooSlow(name: string): WisError {
  return new WisError("llm.unreachable", {
    say: `The model server "${name}" did not answer within ${formatDuration(ANSWERS_WITHIN_MS)}.`,
    hint: "Ask an admin to see how it does: `wisbot doctor` tells what is wrong.",
  });
}
