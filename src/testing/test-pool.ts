import { createOllamaHost } from "../hosts/ollama.ts";
import { systemNow } from "../lib/clock.ts";
import { createPool, type PoolHost } from "../llm/pool.ts";
import type { HostModel, LoadedModel, ModelHost } from "../llm/ports.ts";
import { createFairQueue } from "../queue/fair-queue.ts";
import { fakeTime } from "./fake-time.ts";
import { type OllamaOptions, startOllama } from "./ollama.ts";
import { openTestTelemetry } from "./telemetry.ts";

type Settings = Partial<Omit<PoolHost, "host">>;
export const settings = { slots: 1, priority: 0, models: [] };
/** A pool over real servers, asked with the real client. */
export async function openPool(servers: Record<string, OllamaOptions & { settings?: Settings }>) {
  await using stack = new AsyncDisposableStack();
  const opened = stack.use(await openTestTelemetry());
  const { telemetry } = opened;
  const ollamas = new Map(
    await Promise.all(
      Object.entries(servers).map(async ([name, options]) => [name, await startOllama(options)] as const),
    ),
  );
  for (const ollama of ollamas.values()) stack.use(ollama);
  const hosts = [...ollamas].map(([name, { url }]): PoolHost => {
    const host = createOllamaHost({ name, url, headers: {}, context: undefined, telemetry });
    return { ...settings, ...servers[name]?.settings, host };
  });
  const active = new Map<string, number>();
  const pool = createPool({ hosts, active, now: systemNow, telemetry });
  const moved = stack.move();
  return {
    ...{ pool, hosts, active, telemetry },
    ollama: (name: string) => {
      const found = ollamas.get(name);
      if (!found) throw new Error(`no server ${name}`);
      return found;
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** A host that says what it is told, at an address where nobody is. */
export function scripted(name: string, script: Partial<ModelHost> = {}): ModelHost {
  const models: HostModel[] = [{ name: "llama3.2:latest", size: 1 }];
  return {
    kind: "ollama",
    name,
    url: `http://${name}.invalid`,
    chat: () => {
      throw new Error("not asked");
    },
    models: async () => models,
    loaded: async (): Promise<LoadedModel[]> => [],
    describe: async () => ({ capabilities: [], context: undefined, maxContext: undefined }),
    pull: undefined,
    version: async () => "1",
    ...script,
  };
}

/** A pool over scripted hosts, whose time passes when it is told to. */
export async function openScripted(hosts: ModelHost[]) {
  const opened = await openTestTelemetry();
  const { now, timers, pass } = fakeTime();
  const wait = (ms: number, signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = timers.after(ms, () => resolve(true));
    signal.addEventListener("abort", () => {
      cancel();
      resolve(false);
    });
    return promise;
  };
  const queue = createFairQueue({ hosts: hosts.map(({ name }) => ({ name, slots: 3 })), maxQueue: 10 });
  const pool = createPool({
    hosts: hosts.map((host) => ({ ...settings, host, slots: 3 })),
    active: queue.active,
    now,
    wait,
    telemetry: opened.telemetry,
  });
  pool.onChange(queue.reconsider);
  const stop = new AbortController();
  const running = pool.run(stop.signal);
  await pass(0);
  return {
    ...{ pool, queue, pass },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await opened[Symbol.asyncDispose]();
    },
  };
}
