import type { LogFormat, LogLevel } from "../config/log-options.ts";

// How a subcommand is written, in five rules:
// 1. A command is `async function name({ globals, …options }): Promise<ExitCode>`. It never calls process.exit.
// 2. It throws a WisError when it can't do its work; the dispatcher in program.ts prints it and picks the exit code.
// 3. Answers go through `print` of output.ts to stdout, all else to stderr.
// 4. What is declared to commander stays light: everything heavier (app.ts, config/load.ts, zod, discord.js) is
//    imported dynamically inside the action, so that `wisbot --help` loads none of it.
// 5. A usage error found after parsing is `new WisError("usage", { say, hint })`.

/** 0 fine, 1 failed, 2 usage, 78 configuration (EX_CONFIG of sysexits.h). */
export const exit = { ok: 0, failed: 1, usage: 2, config: 78 } as const;

export type ExitCode = (typeof exit)[keyof typeof exit];

/** The options that stand before or after any command. Missing: environment, file, default decide. */
export interface Globals {
  config?: string;
  dataDir?: string;
  logFormat?: LogFormat;
  logLevel?: LogLevel;
}

/** What a group of subcommands (such as `files`) is registered with: `filesCommand(shell): Command`. */
export interface Shell {
  globals(): Globals;
  /** Says with what code the process is to end, once everything that is open has been closed. */
  exit(code: ExitCode): void;
}
