import { join } from "node:path";
import { cleanEnv } from "./command-line.ts";

export interface ServeOptions {
  /** Working folder, and home. */
  cwd: string;
  /** Such as `["--config", file]`. */
  globals?: string[];
  /** Such as `["--port", "0"]`. */
  args?: string[];
  env?: Record<string, string>;
}

/** A `wisbot serve` of its own process, from these sources. */
export interface Serve {
  /** Resolves with its address when it says that it is ready. Rejects with its log when it ends before. */
  ready(): Promise<string>;
  /** Resolves when stdout or stderr has shown `text`. Rejects with its log when it ends before. */
  says(text: string): Promise<void>;
  /** Everything on stdout and stderr so far; long logs only at their end. */
  log(): string;
  /** Sends SIGHUP: the configuration is to be read again. */
  reload(): void;
  /** Sends the signal; SIGKILL is what a crash looks like from outside. Resolves with the exit code. */
  kill(signal: NodeJS.Signals): Promise<number>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
}

const main = join(import.meta.dir, "../main.ts");
const MAX_LOG = 200_000;

/** Starts `wisbot serve`. It ends with this process, in any case. */
export function startServe({ cwd, globals = [], args = [], env }: ServeOptions): Serve {
  const child = Bun.spawn([process.execPath, main, ...globals, "serve", ...args], {
    cwd,
    env: cleanEnv({ cwd, ...(env && { env }) }),
    // Ctrl-C is for whoever started it: that one ends wisbot in its own order.
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);

  let log = "";
  let changed = Promise.withResolvers<void>();
  async function collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      log = (log + decoder.decode(bytes, { stream: true })).slice(-MAX_LOG);
      changed.resolve();
      changed = Promise.withResolvers();
    }
  }
  const exited = Promise.all([child.exited, collect(child.stdout), collect(child.stderr)]).then(([code]) => {
    process.off("exit", killWithUs);
    return code;
  });

  async function until<T>(look: () => T | undefined, what: string): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const code = await Promise.race([changed.promise, exited]);
      if (code === undefined) continue;
      const late = look();
      if (late !== undefined) return late;
      throw new Error(`wisbot serve ended with ${code} before ${what}:\n${log}`);
    }
  }

  return {
    ready: () => until(() => /ready at (\S+)/.exec(log)?.[1], "it was ready"),
    async says(text) {
      await until(() => log.includes(text) || undefined, `it said "${text}"`);
    },
    log: () => log,
    reload: () => child.kill("SIGHUP"),
    kill(signal) {
      child.kill(signal);
      return exited;
    },
    exited,
  };
}
