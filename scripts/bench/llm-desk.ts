import { join } from "node:path";
import { openLlm } from "../../src/app/llm.ts";
import { createHost } from "../../src/app.ts";
import { type ConfigInput, configSchema } from "../../src/config/schema.ts";
import type { Llm, Talk } from "../../src/llm/llm.ts";
import type { AnswerPlace } from "../../src/llm/ports.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { openTelemetry } from "../../src/telemetry/open.ts";
import { temporaryFolder } from "./processes.ts";

/** A host that answers at a set rate, in a process of its own. */
export async function startStandIn(env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "ollama.ts")], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { url: new TextDecoder().decode(value).trim(), [Symbol.asyncDispose]: stop };
}

export interface BenchLlm extends AsyncDisposable {
  llm: Llm;
  store: Store;
}

/** The real desk with its queue, its rows in SQLite and its host drivers. */
export async function openBenchLlm(llm: ConfigInput["llm"]): Promise<BenchLlm> {
  await using opening = new AsyncDisposableStack();
  const { path: dataDir } = opening.use(await temporaryFolder());
  const config = configSchema.parse({
    llm: { max_requests_per_minute: 1_000_000, max_queue: 10_000, ...llm },
    log: { level: "error" },
  });
  const telemetry = await openTelemetry({ config, version: "bench", env: {} });
  opening.defer(() => telemetry.shutdown());
  const store = opening.use(await openStore({ dataDir, log: telemetry.log }));
  const closing = new AbortController();
  const loaded = { config, dataDir, file: undefined, publicUrl: "", discordToken: undefined };
  const ground = { loaded, telemetry, metrics: createMetrics(telemetry.meter) };
  const hosts = config.llm.hosts.map((settings) => ({ ...settings, host: createHost(settings, telemetry) }));
  const side = await openLlm(ground, { store, hosts, closing: closing.signal });
  const looking = side.pool.run(closing.signal);
  opening.defer(async () => {
    side.llm.interruptAll();
    closing.abort(new Error("the bench is over"));
    await Promise.allSettled([side.llm.idle(), looking]);
  });
  const opened = opening.move();
  return { llm: side.llm, store, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export const place: AnswerPlace = {
  guildId: null,
  channelId: "1",
  messageId: "1",
  applicationId: "1",
  interactionToken: "token",
  interactionAt: 0,
};

const asker = { guildId: null, roleIds: [] };

/** Asks as somebody; by default as one who is called as what they ask. */
export const ask = (llm: Llm, prompt: string, { who = prompt, talk = { kind: "chain" } }: Asking = {}) =>
  llm.ask({
    member: { id: who, name: who, asker, moderator: false },
    prompt,
    where: place,
    spot: async () => ({ place, talk }),
  });

interface Asking {
  who?: string;
  talk?: Talk;
}
