import { dirname, join } from "node:path";

/** The checkout's root, wherever a script was started from. */
export const root = join(import.meta.dir, "..");

/** Runs a command in the root with this terminal, showing it first. Gives its exit code. */
export async function run(command: string[], env: Record<string, string> = {}): Promise<number> {
  console.error(`$ ${command.map((word) => (word === process.execPath ? "bun" : word)).join(" ")}`);
  const child = Bun.spawn(command, {
    cwd: root,
    stdio: ["inherit", "inherit", "inherit"],
    // The running Bun first, so that package scripts find the same one when none is installed.
    env: { ...process.env, ...env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}` },
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const code = await child.exited;
  process.off("SIGINT", forward).off("SIGTERM", forward);
  return code;
}

/** Runs commands in order and ends the process with the code of the first that fails. */
export async function runAll(commands: string[][], env?: Record<string, string>): Promise<void> {
  for (const command of commands) {
    const code = await run(command, env);
    if (code !== 0) process.exit(code);
  }
}
