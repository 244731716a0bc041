import { join } from "node:path";

// The command line as people use it: a process of its own, in a folder of its own, with an environment of its own.

const main = join(import.meta.dir, "../main.ts");

export interface CommandLineOptions {
  /** Also the home folder, so that no config of this machine is found. */
  cwd: string;
  env?: Record<string, string>;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** The least that a program gets, so that this machine's settings don't reach the test. */
export function cleanEnv({ cwd, env }: CommandLineOptions): Record<string, string> {
  return { PATH: process.env.PATH ?? "", HOME: cwd, TMPDIR: cwd, ...env };
}

/** Runs `wisbot …args` to its end, with stdin closed. */
export async function runWisbot(args: string[], options: CommandLineOptions): Promise<Ran> {
  const child = Bun.spawn([process.execPath, main, ...args], {
    cwd: options.cwd,
    env: cleanEnv(options),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}

/** `wisbot …args` at a terminal. */
export interface Session extends AsyncDisposable {
  /** Waits until the terminal shows `text` behind all that was waited for before. */
  shows(text: string): Promise<void>;
  type(keys: string): void;
  /** Everything that was shown, without colours and cursor movements. */
  screen(): string;
  /** The exit code. */
  readonly exited: Promise<number>;
}

/** Starts `wisbot …args` at a terminal of its own. */
export function startSession(args: string[], options: CommandLineOptions): Session {
  const decoder = new TextDecoder();
  let shown = "";
  let seen = 0;
  let changed = Promise.withResolvers<void>();
  const announce = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const child = Bun.spawn([process.execPath, main, ...args], {
    cwd: options.cwd,
    env: { ...cleanEnv(options), TERM: "xterm-256color" },
    terminal: {
      cols: 200,
      rows: 50,
      data(_terminal, data) {
        shown += Bun.stripANSI(decoder.decode(data, { stream: true }));
        announce();
      },
      exit: announce,
    },
  });
  child.exited.then(announce, announce);

  return {
    async shows(text) {
      for (;;) {
        const found = shown.indexOf(text, seen);
        if (found !== -1) {
          seen = found + text.length;
          return;
        }
        if (child.exitCode !== null)
          throw new Error(`it ended without showing ${text}:\n${shown.slice(seen)}`);
        await changed.promise;
      }
    },
    type: (keys) => void child.terminal?.write(keys),
    screen: () => shown,
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      child.terminal?.close();
    },
  };
}
