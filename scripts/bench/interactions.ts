import { join } from "node:path";
import { type DiscordStandIn, startDiscord } from "../../src/testing/discord/index.ts";
import { startOllama } from "../../src/testing/ollama.ts";
import { type Bench, type Figure, inTurn, ms, percentile } from "./figure.ts";
import { startBuilt } from "./processes.ts";

const PER_SECOND = 50;
const COMMANDS = 200;
const ROUNDS = 4;
const LIMIT_MS = 100;
const LIMIT_ABOVE_MS = 10;

/**
 * Every other command is a question that hangs, with the queue longer every time; the rest asks for help. They come by
 * the clock, however long sending one takes.
 */
async function volley(discord: DiscordStandIn, commands: number): Promise<number[]> {
  const asked = [];
  const started = performance.now();
  for (let index = 0; index < commands; index += 1) {
    asked.push(
      index % 2 === 0
        ? discord.invoke({ command: "wis llm", options: { prompt: `Question ${index}?` } })
        : discord.invoke({ command: "wis help" }),
    );
    await Bun.sleep(Math.max(0, started + ((index + 1) * 1000) / PER_SECOND - performance.now()));
  }
  await Promise.all(asked.map((one) => one.response()));
  return asked.map(({ latencyMs }) => latencyMs ?? Number.POSITIVE_INFINITY);
}

/** From sending the interaction over the gateway to the arrival of its first response, at the stand-in. */
export const interactions: Bench = {
  name: "interactions",
  async run(): Promise<Figure[]> {
    await using ours = await startDiscord({ openapi: "" });
    await using bare = await startDiscord({ openapi: "" });
    await using ollama = await startOllama({ trouble: { kind: "hang" } });
    const plenty = 1_000_000;
    await using _wisbot = await startBuilt(
      {
        discord: { api: ours.api },
        llm: { hosts: [{ url: ollama.url }], max_requests_per_minute: plenty, max_queue: plenty },
      },
      { DISCORD_TOKEN: ours.token },
    );
    await using _echo = startEcho(bare);
    await Promise.all([ours.registered("wis"), bare.registered("wis")]);
    await inTurn(
      1,
      () => volley(ours, 50),
      () => volley(bare, 50),
    );
    const seen = await inTurn(
      ROUNDS,
      () => volley(ours, COMMANDS),
      () => volley(bare, COMMANDS),
    );
    // A question that is refused is answered fast too, but measures nothing.
    if (ollama.open !== 1) throw new Error(`${ollama.open} questions hang in Ollama instead of one`);
    const p99 = percentile(seen.ours.flat(), 0.99);
    const bareP99 = percentile(seen.baseline.flat(), 0.99);
    const say = (values: number[]) =>
      `p50 ${ms(percentile(values, 0.5))}, p99 ${ms(percentile(values, 0.99))}`;
    return [
      {
        what: `interaction to first response, ${PER_SECOND} commands/s while Ollama hangs, ${ROUNDS * COMMANDS} commands of one member (llm.max_requests_per_minute and llm.max_queue raised)`,
        ours: say(seen.ours.flat()),
        baseline: `bare discord.js echo bot ${say(seen.baseline.flat())}`,
        compared: `p99 ${ms(p99 - bareP99)} above`,
        limit: `${LIMIT_ABOVE_MS} ms above and ${LIMIT_MS} ms in all`,
        holds: p99 - bareP99 <= LIMIT_ABOVE_MS && p99 < LIMIT_MS,
      },
    ];
  },
};

/** The bare bot as a process of its own. */
export function startEcho({ api, token }: DiscordStandIn) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "echo-bot.ts")], {
    env: { PATH: process.env.PATH ?? "", DISCORD_API: api, DISCORD_TOKEN: token },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { pid: child.pid, [Symbol.asyncDispose]: stop };
}
