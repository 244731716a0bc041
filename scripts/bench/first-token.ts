import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { createOllamaHost } from "../../src/hosts/ollama.ts";
import { createLlm } from "../../src/llm/desk.ts";
import type { Llm } from "../../src/llm/llm.ts";
import type { AnswerPlace } from "../../src/llm/ports.ts";
import { limitsFrom } from "../../src/members/limits.ts";
import { createFairQueue } from "../../src/queue/fair-queue.ts";
import { openStore } from "../../src/store/open.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { openTelemetry } from "../../src/telemetry/open.ts";
import { type Bench, type Figure, inTurn, median, ms } from "./figure.ts";
import { temporaryFolder } from "./processes.ts";

const ROUNDS = 200;
const AT_ONCE = 100;
const TOKENS = 200;
const LIMIT_MS = 10;

const place: AnswerPlace = {
  guildId: null,
  channelId: "1",
  messageId: "1",
  applicationId: "1",
  interactionToken: "token",
  interactionAt: 0,
};

const asker = { guildId: null, roleIds: [] };

const ask = (llm: Llm, prompt: string) =>
  llm.ask({ member: { id: prompt, name: prompt, asker, moderator: false }, prompt, place });

async function throughWisbot(llm: Llm): Promise<number> {
  const started = performance.now();
  const answer = await ask(llm, "q");
  let first = Number.NaN;
  for await (const event of answer.events) {
    if (event.type === "text" && Number.isNaN(first)) first = performance.now() - started;
  }
  return first;
}

async function direct(url: string): Promise<number> {
  const started = performance.now();
  const body = JSON.stringify({
    model: "llama3.2",
    messages: [{ role: "user", content: "q" }],
    stream: true,
  });
  const response = await fetch(`${url}/api/chat`, { method: "POST", body });
  let first = Number.NaN;
  for await (const chunk of response.body ?? []) {
    if (Number.isNaN(first) && chunk.includes(10)) first = performance.now() - started;
  }
  return first;
}

async function wholeAnswer(llm: Llm, prompt: string): Promise<boolean> {
  const answer = await ask(llm, prompt);
  let text = "";
  for await (const event of answer.events) if (event.type === "text") text += event.text;
  return text === Array.from({ length: TOKENS }, (_, index) => `${prompt}:${index} `).join("");
}

async function startStandIn() {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "ollama.ts")], { stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { url: new TextDecoder().decode(value).trim(), [Symbol.asyncDispose]: stop };
}

/** The real desk with its queue, its rows in SQLite and its host driver. */
export const firstToken: Bench = {
  name: "first-token",
  async run(): Promise<Figure[]> {
    await using folder = await temporaryFolder();
    await using ollama = await startStandIn();
    const config = configSchema.parse({
      llm: { hosts: [{ url: ollama.url, slots: AT_ONCE }], max_requests_per_minute: 1_000_000 },
      log: { level: "error" },
    });
    const telemetry = await openTelemetry({ config, version: "bench", env: {} });
    await using store = await openStore({ dataDir: folder.path, log: telemetry.log });
    const llm = createLlm({
      hosts: config.llm.hosts.map(({ name, url }) => createOllamaHost({ name, url, telemetry })),
      queue: createFairQueue({ hosts: config.llm.hosts, maxQueue: config.llm.max_queue }),
      answers: store.answers,
      limits: limitsFrom(config),
      telemetry,
      metrics: createMetrics(telemetry.meter),
      config: config.llm,
      now: Date.now,
    });

    await inTurn(
      20,
      () => throughWisbot(llm),
      () => direct(ollama.url),
    );
    const seen = await inTurn(
      ROUNDS,
      () => throughWisbot(llm),
      () => direct(ollama.url),
    );
    const [ours, baseline] = [median(seen.ours), median(seen.baseline)];
    const prompts = Array.from({ length: AT_ONCE }, (_, index) => `person-${index}`);
    const whole = (await Promise.all(prompts.map((prompt) => wholeAnswer(llm, prompt)))).filter(
      Boolean,
    ).length;
    await llm.idle();
    await telemetry.shutdown();
    return [
      {
        what: `first token, ${ROUNDS} answers one after the other`,
        ours: `median ${ms(ours)}`,
        baseline: `direct call ${ms(baseline)}`,
        compared: `${ms(ours - baseline)} above`,
        limit: `${LIMIT_MS} ms`,
        holds: ours - baseline <= LIMIT_MS,
      },
      {
        what: `answers of ${TOKENS} tokens, ${AT_ONCE} at once`,
        ours: `${whole} whole`,
        baseline: `${AT_ONCE} asked`,
        compared: `${AT_ONCE - whole} with a token lost`,
        limit: "0",
        holds: whole === AT_ONCE,
      },
    ];
  },
};
