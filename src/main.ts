import { recordFatal } from "./cli/fatal.ts";
import { run } from "./cli/run.ts";

// Ten frames, the default, end inside a library.
Error.stackTraceLimit = 100;
recordFatal();
// Whoever reads our answer may stop early: `wisbot files list | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
process.exit(await run(process.argv.slice(2), process.env));
