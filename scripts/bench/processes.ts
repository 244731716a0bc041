import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "../../src/config/schema.ts";
import { freePort } from "../../src/lib/free-port.ts";
import { root } from "../run.ts";

export const binary = join(root, "dist/wisbot");

export interface Running extends AsyncDisposable {
  pid: number;
  url: string;
  folder: string;
  /** Milliseconds from spawning to the first answer of `path`. */
  startedIn: number;
}

export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "wisbot-bench-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts the built wisbot in a folder of its own. */
export async function startBuilt(config: ConfigInput, env: Record<string, string> = {}): Promise<Running> {
  await using opening = new AsyncDisposableStack();
  const { path: folder } = opening.use(await temporaryFolder());
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings: ConfigInput = {
    ...config,
    web: { port, public_url: url, ...config.web },
    log: { level: "error", format: "json" },
  };
  // JSON is YAML.
  await writeFile(join(folder, "config.yaml"), JSON.stringify(settings), { mode: 0o600 });
  const running = opening.use(await startServer([binary, "serve"], { url, folder, path: "/live", env }));
  const opened = opening.move();
  return { ...running, folder, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Starts a server of this folder, in Bun, which keeps its files in `folder`. */
export async function startScript(
  name: string,
  { folder, env = {} }: { folder: string; env?: Record<string, string> },
): Promise<Running> {
  const port = freePort();
  return await startServer([process.execPath, join(import.meta.dir, name)], {
    url: `http://127.0.0.1:${port}`,
    folder,
    env: { PORT: String(port), FOLDER: folder, ...env },
  });
}

/** Starts a server and waits until it answers. */
export async function startServer(
  command: string[],
  {
    url,
    folder,
    path = "/",
    env = {},
  }: { url: string; folder: string; path?: string; env?: Record<string, string> },
): Promise<Running> {
  const started = performance.now();
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  while (!(await answers(`${url}${path}`))) {
    if (child.exitCode !== null) throw new Error(`${command.join(" ")} ended with ${child.exitCode}`);
    await Bun.sleep(1);
  }
  const startedIn = performance.now() - started;
  const stop = async () => {
    // Not SIGKILL: nginx would leave its workers behind.
    child.kill("SIGTERM");
    await child.exited;
  };
  return { pid: child.pid, url, folder, startedIn, [Symbol.asyncDispose]: stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

async function kilobytes(pid: number, file: string, key: string): Promise<number> {
  const text = await Bun.file(`/proc/${pid}/${file}`).text();
  const value = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
  if (value === undefined) throw new Error(`/proc/${pid}/${file} has no ${key}`);
  return Number(value) * 1024;
}

/** Resident memory now, bytes. Linux only, as all that reads /proc. */
export const residentBytes = (pid: number) => kilobytes(pid, "status", "VmRSS");
/** Of what is resident, its share: pages that processes have in common are divided among them. Bytes. */
export const proportionalBytes = (pid: number) => kilobytes(pid, "smaps_rollup", "Pss");
/** The most since the start or the last `forgetPeak`, bytes. */
export const peakBytes = (pid: number) => kilobytes(pid, "status", "VmHWM");
// https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html: 5 resets the peak resident set size.
export const forgetPeak = (pid: number) => writeFile(`/proc/${pid}/clear_refs`, "5");
