import { isWisError, WisError } from "../errors.ts";
import { createBell } from "../lib/bell.ts";
import type { Now } from "../lib/clock.ts";
import { formatDuration } from "../lib/duration.ts";
import { sleep } from "../lib/sleep.ts";
import { within } from "../lib/within.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { createKnownHost, type KnownHost, type PoolHost } from "./known-host.ts";
import type { ModelView } from "./llm.ts";
import { tagged } from "./model-name.ts";
import type { HostHealth, ModelDescription, ModelHost } from "./ports.ts";

export type { PoolHost } from "./known-host.ts";

export interface PoolDeps {
  hosts: readonly PoolHost[];
  /** How many questions each host has now, kept up to date by the queue. */
  active: ReadonlyMap<string, number>;
  now: Now;
  telemetry: Pick<Telemetry, "log">;
  /** Waits; false as soon as the signal ends the wait. Tests turn the clock by hand. */
  wait?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

/** A model that hosts hold. */
export type HeldModel = Pick<ModelView, "name" | "size" | "hosts" | "warm">;

/** What is known of the hosts. Everything but `look`, `looked`, `describe` and `run` answers from memory. */
export interface Pool {
  hosts(): ModelHost[];
  /** [llm.unreachable when the configuration no longer has it] */
  host(name: string): ModelHost;
  /**
   * How gladly a host is taken for a model: hosts that answered the last look first, then where the model is warm, then
   * the configured priority. Undefined for one that rests, does not hold it, or is in `except`.
   */
  preference(model: string, except?: ReadonlySet<string>): (host: string) => number | undefined;
  /** Whether a model was in that host's memory when it was last heard of. */
  isWarm(model: string, host: string): boolean;
  /** Why waiting for a host makes no sense now: llm.model_missing, or llm.unreachable while all of them rest. */
  refusal(model: string, except?: ReadonlySet<string>): WisError | undefined;
  /** A question to that host went well: the model is warm there now. */
  succeeded(host: string, model: string): void;
  /** A question to that host failed before anything was said. */
  failed(host: string, error: unknown): void;
  /** What all hosts that answer hold together. */
  models(): HeldModel[];
  /** What a model can, as the first host says that holds it. Undefined where none says so within half a second. */
  describe(model: string): Promise<ModelDescription | undefined>;
  /**
   * Tokens that a model takes on a host; without one, on the host where it takes the fewest. `wanted`: these, where it
   * can take so many. Undefined: not known.
   */
  contextOf(model: string, host?: string, wanted?: number): number | undefined;
  health(): HostHealth[];
  /** Other hosts from now on; of one with the same name and address, what is known stays known. */
  setHosts(hosts: readonly PoolHost[]): void;
  /** Called whenever another host may take a question, or one no longer does. */
  onChange(listener: () => void): void;
  /** Asks every host once, side by side, at most 2 s each. Never rejects. */
  look(signal?: AbortSignal): Promise<void>;
  /** Looks where nobody has looked yet. */
  looked(): Promise<void>;
  /** Something has changed: `run` looks now. */
  lookSoon(): void;
  /** Looks every 30 s, and tells when a rest is over. Resolves when the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_EVERY_MS = 30_000;
const DESCRIBED_WITHIN_MS = 500;
const NONE: ReadonlySet<string> = new Set();

export function createPool({ hosts: initial, active, now, telemetry, wait = sleep }: PoolDeps): Pool {
  const bell = createBell(wait);
  const listeners: (() => void)[] = [];
  let hosts = new Map<string, KnownHost>();
  /** Configured priorities, lowest first. */
  let priorities: number[] = [];
  let lookAt = 0;

  const changed = () => {
    for (const listener of listeners) listener();
  };
  const accepts = (host: KnownHost) => host.accepts((active.get(host.settings.host.name) ?? 0) === 0);
  const holders = (model: string) => [...hosts.values()].filter((host) => host.mayHold(model));

  function setHosts(next: readonly PoolHost[]): void {
    hosts = new Map(next.map((one) => [one.host.name, knownAs(one)]));
    priorities = [...new Set(next.map(({ priority }) => priority))].sort((a, b) => a - b);
    lookSoon();
    changed();
  }

  function knownAs(next: PoolHost): KnownHost {
    const known = hosts.get(next.host.name);
    if (known?.settings.host.url !== next.host.url) return createKnownHost(next, { now, telemetry, wait });
    known.configure(next);
    return known;
  }

  async function look(signal?: AbortSignal): Promise<void> {
    await Promise.all(
      hosts.values().map(async (host) => {
        await host.look(signal);
        changed();
      }),
    );
  }

  function lookSoon(): void {
    lookAt = 0;
    bell.ring();
  }

  async function run(signal: AbortSignal): Promise<void> {
    let looking: Promise<void> | undefined;
    while (!signal.aborted) {
      if (!looking && now() >= lookAt) {
        lookAt = now() + LOOK_EVERY_MS;
        looking = look(signal).then(() => {
          looking = undefined;
          bell.ring();
        });
      }
      // A rest may be over.
      changed();
      const rests = [...hosts.values()]
        .map(({ restsUntil = 0 }) => restsUntil)
        .filter((until) => until > now());
      await bell.wait(Math.min(looking ? Number.POSITIVE_INFINITY : lookAt, ...rests) - now(), signal);
    }
    await looking;
  }

  setHosts(initial);
  return {
    hosts: () => [...hosts.values()].map(({ settings }) => settings.host),
    host(name) {
      const known = hosts.get(name);
      if (!known) throw gone(name);
      return known.settings.host;
    },
    preference:
      (model, except = NONE) =>
      (name) => {
        const host = hosts.get(name);
        if (!host || except.has(name) || !host.mayHold(model) || !accepts(host)) return undefined;
        const kind = 2 * Number(host.isHealthy) + Number(host.isWarm(model));
        return kind * priorities.length + priorities.indexOf(host.settings.priority);
      },
    isWarm: (model, name) => hosts.get(name)?.isWarm(model) ?? false,
    refusal(model, except = NONE) {
      const left = holders(model).filter(({ settings }) => !except.has(settings.host.name));
      if (left.length === 0) return missing(model);
      const untils = left.map(({ restsUntil = 0 }) => restsUntil);
      const soonest = Math.min(...untils);
      return soonest > now() ? resting(model, soonest - now(), left[untils.indexOf(soonest)]) : undefined;
    },
    succeeded(name, model) {
      hosts.get(name)?.succeeded(model);
      changed();
    },
    failed(name, error) {
      hosts.get(name)?.failed(error);
      // It was believed to hold the model.
      if (isWisError(error, "llm.model_missing")) lookAt = 0;
      // The end of a rest is something to wake up for, too.
      bell.ring();
      changed();
    },
    models() {
      const found = new Map<string, HeldModel>();
      for (const host of hosts.values()) {
        for (const { name, size } of host.models()) {
          const model = found.get(tagged(name)) ?? { name, size, hosts: [], warm: false };
          model.hosts.push(host.settings.host.name);
          model.warm ||= host.isWarm(name);
          model.size ||= size;
          found.set(tagged(name), model);
        }
      }
      return [...found.values()];
    },
    async describe(model) {
      const host = holders(model).find(({ isHealthy, isKnown }) => isHealthy && isKnown);
      return host && (await within(DESCRIBED_WITHIN_MS, host.describe(model)));
    },
    contextOf(model, name, wanted) {
      const asked = name === undefined ? holders(model) : [hosts.get(name)];
      const known = asked
        .map((host) => host?.contextOf(model, wanted))
        .filter((tokens) => tokens !== undefined);
      return known.length === 0 ? wanted : Math.min(...known);
    },
    health: () => [...hosts].map(([name, host]) => host.health(active.get(name) ?? 0)),
    setHosts,
    onChange: (listener) => void listeners.push(listener),
    look,
    async looked() {
      await Promise.all([...hosts.values()].filter(({ isKnown }) => !isKnown).map((host) => host.look()));
    },
    lookSoon,
    run,
  };
}

export function missing(model: string): WisError {
  return new WisError("llm.model_missing", {
    say: `No model server here has the model "${model}".`,
    hint: "Choose one that /wis model lists, or have it fetched.",
  });
}

function resting(model: string, ms: number, host: KnownHost | undefined): WisError {
  return new WisError("llm.unreachable", {
    say: `No model server that has "${model}" answers right now.`,
    hint: `Ask again in ${formatDuration(ms)}.`,
    cause: host?.failure,
  });
}

function gone(name: string): WisError {
  return new WisError("llm.unreachable", {
    say: `The model server "${name}" is no longer configured.`,
    hint: "Ask again.",
  });
}
