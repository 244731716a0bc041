// The whole product with no account: stand-ins for Discord and Ollama, a real `wisbot serve`, and a page to try it on.
import { parseArgs } from "node:util";
import { runAll } from "./run.ts";

const USAGE = "bun run demo [--port N] [--ollama http://127.0.0.1:11434]";

function options(): { port?: number; ollama?: string } {
  const { values } = parseArgs({ options: { port: { type: "string" }, ollama: { type: "string" } } });
  const { port, ollama } = values;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw new Error(`--port takes a number, not ${port}.`);
  if (ollama !== undefined && !URL.canParse(ollama))
    throw new Error(`--ollama takes an address, not ${ollama}.`);
  return { ...(port !== undefined && { port: Number(port) }), ...(ollama !== undefined && { ollama }) };
}

/** Runs it until it is asked to end. Gives the exit code. */
async function demo(): Promise<number> {
  const given = options();
  await runAll([[process.execPath, "install", "--frozen-lockfile"]]);
  // Only now are the packages that it needs there.
  const { startDemo } = await import("../src/testing/demo/demo.ts");
  const running = await startDemo(given);
  console.log(`The demo is at ${running.url} (Ctrl-C ends it)`);
  const asked = new Promise<undefined>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => resolve(undefined));
  });
  const code = await Promise.race([asked, running.exited]);
  if (code !== undefined) console.error(`Error: wisbot serve ended with code ${code}:\n${running.log()}`);
  await running.stop();
  return code === undefined ? 0 : 1;
}

try {
  process.exit(await demo());
} catch (error) {
  console.error(`Error: ${error instanceof Error ? error.message : error}\nTry: ${USAGE}`);
  process.exit(1);
}
