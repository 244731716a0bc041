import { join } from "node:path";
import { $ } from "bun";
import { freePort } from "../../src/lib/free-port.ts";
import { startDiscord } from "../../src/testing/discord/index.ts";
import { startOllama } from "../../src/testing/ollama.ts";
import { type Bench, type Figure, inTurn, mb, median, ms } from "./figure.ts";
import { startEcho } from "./interactions.ts";
import {
  binary,
  proportionalBytes,
  residentBytes,
  startBuilt,
  startServer,
  temporaryFolder,
} from "./processes.ts";

const ROUNDS = 9;
const HELP_LIMIT_MS = 100;
const SERVE_LIMIT_MS = 300;
const MEMORY_LIMIT = 100e6;
const SETTLED_MS = 10_000;

async function timeOf(command: string[], cwd: string): Promise<number> {
  const started = performance.now();
  await Bun.spawn(command, { cwd, stdio: ["ignore", "ignore", "ignore"] }).exited;
  return performance.now() - started;
}

async function compile(folder: string, name: string, source: string): Promise<string> {
  await Bun.write(join(folder, `${name}.ts`), source);
  const outfile = join(folder, name);
  await $`${process.execPath} build --compile --bytecode ${name}.ts --outfile ${outfile}`.cwd(folder).quiet();
  return outfile;
}

async function help(folder: string): Promise<Figure> {
  const hello = await compile(folder, "hello", `console.log("hello");`);
  const seen = await inTurn(
    ROUNDS,
    () => timeOf([binary, "--help"], folder),
    () => timeOf([hello], folder),
  );
  const [ours, baseline] = [median(seen.ours), median(seen.baseline)];
  return {
    what: "wisbot --help",
    ours: `median ${ms(ours)}`,
    baseline: `a compiled hello world ${ms(baseline)}`,
    compared: `${ms(ours - baseline)} above, ${ms(ours)} in all`,
    limit: `${HELP_LIMIT_MS} ms in all`,
    holds: ours < HELP_LIMIT_MS,
  };
}

/** From the start of the process, with no database yet. */
async function firstAnswer(folder: string): Promise<Figure> {
  const source = `Bun.serve({ port: Number(process.env.PORT), fetch: () => new Response("ok") });`;
  const bare = await compile(folder, "bare", source);
  const seen = await inTurn(
    ROUNDS,
    async () => {
      await using running = await startBuilt({});
      return running.startedIn;
    },
    async () => {
      const port = freePort();
      const url = `http://127.0.0.1:${port}`;
      await using running = await startServer([bare], { url, folder, env: { PORT: String(port) } });
      return running.startedIn;
    },
  );
  const [ours, baseline] = [median(seen.ours), median(seen.baseline)];
  return {
    what: "serve to its first 200 on /live, with a config and no database yet",
    ours: `median ${ms(ours)}`,
    baseline: `a compiled Bun.serve ${ms(baseline)}`,
    compared: `${ms(ours - baseline)} above, ${ms(ours)} in all`,
    limit: `${SERVE_LIMIT_MS} ms in all`,
    holds: ours < SERVE_LIMIT_MS,
  };
}

async function memory(): Promise<Figure> {
  await using ours = await startDiscord({ openapi: "" });
  await using bare = await startDiscord({ openapi: "" });
  await using ollama = await startOllama();
  const config = { discord: { api: ours.api }, llm: { hosts: [{ url: ollama.url }] } };
  await using wisbot = await startBuilt(config, { DISCORD_TOKEN: ours.token });
  await using echo = startEcho(bare);
  await Promise.all([ours.registered("wis"), bare.registered("wis")]);
  await Bun.sleep(SETTLED_MS);
  const memoryOf = async (pid: number) => ({
    resident: await residentBytes(pid),
    proportional: await proportionalBytes(pid),
  });
  const [{ resident, proportional }, baseline] = [await memoryOf(wisbot.pid), await memoryOf(echo.pid)];
  return {
    what: "idle memory with Discord connected",
    ours: `${mb(resident)} resident (Pss ${mb(proportional)})`,
    baseline: `bare discord.js bot on Bun ${mb(baseline.resident)} (Pss ${mb(baseline.proportional)})`,
    compared: mb(resident),
    limit: mb(MEMORY_LIMIT),
    holds: resident < MEMORY_LIMIT,
  };
}

export const startup: Bench = {
  name: "startup",
  async run(): Promise<Figure[]> {
    await using folder = await temporaryFolder();
    return [await help(folder.path), await firstAnswer(folder.path), await memory()];
  },
};
