// The whole product with no account: stand-ins for Discord and Ollama, a real `wisbot serve`, and a page to try it on.
import { parseArgs } from "node:util";
import { runAll } from "./run.ts";

const { values } = parseArgs({ options: { port: { type: "string" }, ollama: { type: "string" } } });

await runAll([[process.execPath, "install", "--frozen-lockfile"]]);
// Only now are the packages that it needs there.
const { startDemo } = await import("../src/testing/demo/demo.ts");
const demo = await startDemo({
  ...(values.port !== undefined && { port: Number(values.port) }),
  ...(values.ollama !== undefined && { ollama: values.ollama }),
});
console.log(`The demo is at ${demo.url} (Ctrl-C ends it)`);

const asked = new Promise<undefined>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(undefined));
});
const code = await Promise.race([asked, demo.exited]);
if (code !== undefined) console.error(`wisbot serve ended with code ${code}:\n${demo.log()}`);
await demo.stop();
process.exit(code === undefined ? 0 : 1);
