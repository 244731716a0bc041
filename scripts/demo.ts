// The whole product with no account: stand-ins for Discord and Ollama, a real `wisbot serve`, and a page to try it on.
import { parseArgs } from "node:util";
import { runAll } from "./run.ts";

const USAGE = "bun run demo [--port N] [--ollama http://127.0.0.1:11434]";
const SAME_PRESS_MS = 1_000;

function options(): { port?: number; ollama?: string } {
  const { values } = parseArgs({ options: { port: { type: "string" }, ollama: { type: "string" } } });
  const { port, ollama } = values;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw new Error(`--port takes a number, not ${port}.`);
  if (ollama !== undefined && !URL.canParse(ollama))
    throw new Error(`--ollama takes an address, not ${ollama}.`);
  return { ...(port !== undefined && { port: Number(port) }), ...(ollama !== undefined && { ollama }) };
}

/**
 * Aborted by the first Ctrl-C; the next one ends the process there and then. One comes up to three times, from the
 * terminal, npm and npx: what comes within a second is one. Without a handler a signal would end this process and leave
 * wisbot, which has a process group of its own, behind.
 */
function onStopSignal(): AbortSignal {
  const asked = new AbortController();
  let pressedAt = Number.NEGATIVE_INFINITY;
  const onSignal = () => {
    if (performance.now() - pressedAt < SAME_PRESS_MS) return;
    pressedAt = performance.now();
    if (asked.signal.aborted) process.exit(1);
    asked.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal).on("SIGHUP", onSignal);
  return asked.signal;
}

/** Runs it until `asked` is aborted. Gives the exit code. */
async function demo(asked: AbortSignal): Promise<number> {
  const given = options();
  await runAll([[process.execPath, "install", "--frozen-lockfile"]]);
  // Only now are the packages that it needs there.
  const { startDemo } = await import("../src/testing/demo/demo.ts");
  await using running = await startDemo({ ...given, asked });
  console.log(`The demo is at ${running.url} (Ctrl-C ends it)`);
  const stop = new Promise<undefined>((resolve) => asked.addEventListener("abort", () => resolve(undefined)));
  const code = await Promise.race([stop, running.exited]);
  if (code === undefined) return 0;
  console.error(`Error: wisbot serve ended with code ${code}:\n${running.log()}`);
  return 1;
}

const asked = onStopSignal();
try {
  process.exit(await demo(asked));
} catch (error) {
  if (error === asked.reason) process.exit(0);
  console.error(`Error: ${error instanceof Error ? error.message : error}\nTry: ${USAGE}`);
  process.exit(1);
}
