import { statfs } from "node:fs/promises";
import type { LoadedConfig } from "../config/loaded.ts";
import { systemNow as now } from "../lib/clock.ts";
import { createPseudonyms } from "../lib/pseudonym.ts";
import { createLlm } from "../llm/desk.ts";
import type { Llm } from "../llm/llm.ts";
import { createMemory, type Memory } from "../llm/memory.ts";
import { createPace } from "../llm/pace.ts";
import { createPool, type Pool, type PoolHost } from "../llm/pool.ts";
import type { ModelHost } from "../llm/ports.ts";
import { createTokenCounter } from "../llm/token-count.ts";
import { createUsage } from "../llm/usage.ts";
import { limitsFrom } from "../members/limits.ts";
import { createFairQueue } from "../queue/fair-queue.ts";
import type { Store } from "../store/open.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { openBeside } from "./beside.ts";
import type { Ground } from "./data.ts";

export interface LlmSide {
  llm: Llm;
  pool: Pool;
  /** Other hosts from now on. */
  setHosts(hosts: readonly PoolHost[]): void;
}

/** The LLM desk over the hosts of the configuration. `closing` ends what is still being fetched. */
export async function openLlm(
  { loaded: { config, dataDir }, telemetry, metrics }: Ground,
  { store, hosts, closing }: { store: Store; hosts: readonly PoolHost[]; closing: AbortSignal },
): Promise<LlmSide> {
  const { turns, attempts, usage: log, llmChoices: choices } = store;
  const limits = limitsFrom(config);
  const slotsOf = (all: readonly PoolHost[]) => all.map(({ host: { name }, slots }) => ({ name, slots }));
  const queue = createFairQueue({ hosts: slotsOf(hosts), maxQueue: config.llm.max_queue });
  const pool = createPool({ hosts, active: queue.active, now, telemetry });
  const nameOf = createPseudonyms(await store.keys.key("usage"));
  const slots = () => pool.health().reduce((sum, host) => sum + host.slots, 0);
  await attempts.closeAbandoned(now());
  const llm = createLlm({
    pool,
    queue,
    turns,
    attempts,
    choices,
    usage: createUsage({ log, limits, period: config.llm.quota_period, nameOf, telemetry, now }),
    counter: createTokenCounter(),
    pace: createPace({ slots }),
    limits,
    telemetry,
    metrics,
    config: config.llm,
    roomOn: (host) => roomOn(host, dataDir),
    closing,
    now,
  });
  return {
    llm,
    pool,
    setHosts(next) {
      queue.setHosts(slotsOf(next));
      pool.setHosts(next);
    },
  };
}

/** Free bytes for the models of a host on this machine: they are taken to lie on the data dir's disk. */
async function roomOn({ url }: ModelHost, dataDir: string): Promise<number | undefined> {
  if (!["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname)) return undefined;
  const { bavail, bsize } = await statfs(process.env.OLLAMA_MODELS ?? dataDir);
  return bavail * bsize;
}

/** What is remembered of conversations, for one command; also while `serve` runs. Throws WisError data_dir.*, database.*, disk.*. */
export async function openMemory(loaded: LoadedConfig, telemetry: Telemetry): Promise<MemoryDesk> {
  await using opening = new AsyncDisposableStack();
  const { store } = await openBeside(loaded, telemetry, opening);
  const { turns, attempts, llmChoices: choices } = store;
  const memory = createMemory({ turns, attempts, choices });
  const opened = opening.move();
  return { ...memory, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export type MemoryDesk = Memory & AsyncDisposable;
