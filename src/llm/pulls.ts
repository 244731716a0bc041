import { toWisError, WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Llm, Pull } from "./llm.ts";
import { sameModel } from "./model-name.ts";
import type { Pool } from "./pool.ts";
import type { ModelHost, PullProgress } from "./ports.ts";
import { refused, type Settings } from "./settings.ts";

export interface PullsDeps {
  pool: Pick<Pool, "hosts" | "lookSoon">;
  telemetry: Pick<Telemetry, "record" | "log">;
  settings: Pick<Settings, "isAllowed">;
  config: { pull: "nobody" | "moderators" };
  /** Free bytes where a host on this machine keeps its models; undefined for one elsewhere. */
  roomOn(host: ModelHost): Promise<number | undefined>;
  /** Ends what is being fetched; the host keeps what it has, and the next try goes on from there. */
  closing: AbortSignal;
}

/** The part of the Llm port that fetches models to hosts. */
export type Pulls = Pick<Llm, "pull" | "pulling"> & {
  /** Resolves when nothing is being fetched. */
  idle(): Promise<void>;
};

interface Running {
  now: Pull;
  /** Resolves at the next change. */
  changed: PromiseWithResolvers<void>;
}

/** As many at once, on all hosts. */
const MOST = 4;
/** What has ended is remembered for whoever still shows it. */
const REMEMBERED = 16;

/** Fetches a model once, however many ask for it. */
export function createPulls({ pool, telemetry, settings, config, roomOn, closing }: PullsDeps): Pulls {
  const known = new Map<string, Running>();
  const running = new Set<Promise<void>>();
  const of = (model: string) => [...known.values()].find(({ now }) => sameModel(now.model, model));

  function tell(one: Running, change: Partial<Pull>): void {
    one.now = { ...one.now, ...change };
    one.changed.resolve();
    one.changed = Promise.withResolvers();
  }

  async function run(one: Running, host: ModelHost, pull: NonNullable<ModelHost["pull"]>): Promise<void> {
    const { model } = one.now;
    try {
      const room = await roomOn(host);
      for await (const { status, completed, total } of pull(model, closing)) {
        // Said with the first bytes of the largest part, long before the disk is full.
        if (room !== undefined && total - completed > room) throw noRoom(model, total, room);
        tell(one, { status, share: shareOf({ completed, total }) });
      }
      tell(one, { state: "done", status: "fetched", share: 1 });
      pool.lookSoon();
    } catch (error) {
      telemetry.record(error, `fetching a model to ${host.name}`);
      tell(one, { state: "failed", status: "failed", error: toWisError(error) });
    }
  }

  return {
    async pull(model, by) {
      if (config.pull === "nobody" || !by.moderator) throw forbidden(config.pull);
      if (!settings.isAllowed(model)) throw refused(model);
      const before = of(model);
      if (before?.now.state === "running") return before.now;
      if (running.size >= MOST) throw tooMany();
      const host = pool.hosts().find(({ pull }) => pull !== undefined);
      if (!host?.pull) throw noHost();
      const now: Pull = {
        model,
        host: host.name,
        state: "running",
        status: "asked",
        share: undefined,
        error: undefined,
      };
      const one: Running = { now, changed: Promise.withResolvers() };
      remember(known, model, one);
      const work = run(one, host, host.pull).finally(() => running.delete(work));
      running.add(work);
      return one.now;
    },
    async *pulling(model) {
      const one = of(model);
      if (!one) throw new WisError("not_found", { say: `"${model}" is not being fetched.` });
      for (;;) {
        const { now, changed } = one;
        yield now;
        if (now.state !== "running") return;
        // Nothing that came while it was shown is waited for.
        if (one.now === now) await changed.promise;
      }
    },
    async idle() {
      await Promise.all(running);
    },
  };
}

function shareOf({ completed, total }: Pick<PullProgress, "completed" | "total">): number | undefined {
  return total > 0 ? Math.min(1, completed / total) : undefined;
}

function remember(known: Map<string, Running>, model: string, one: Running): void {
  known.delete(model);
  known.set(model, one);
  for (const [name, { now }] of known) {
    if (known.size <= REMEMBERED) return;
    if (now.state !== "running") known.delete(name);
  }
}

function forbidden(pull: PullsDeps["config"]["pull"]): WisError {
  return new WisError("forbidden", {
    say:
      pull === "nobody" ? "Models are not fetched from Discord here." : "Only moderators may fetch models.",
    hint:
      pull === "nobody"
        ? "An admin can allow it with llm.pull."
        : "Ask somebody with the permission Manage Messages.",
  });
}

function noRoom(model: string, total: number, room: number): WisError {
  return new WisError("disk.full", {
    say: `"${model}" needs ${formatBytes(total)}, and the model server's disk has ${formatBytes(room)} left.`,
    hint: "An admin can make room there, or you choose a smaller model.",
  });
}

function tooMany(): WisError {
  return new WisError("llm.host_busy", {
    say: "Several models are being fetched already.",
    hint: "Try again when one of them is there.",
  });
}

function noHost(): WisError {
  return new WisError("llm.off", {
    say: "None of the model servers can fetch models by itself.",
    hint: "Put the model there by hand; an Ollama server could fetch it.",
  });
}
