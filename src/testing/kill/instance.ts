import { Database } from "bun:sqlite";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDesk } from "../../app.ts";
import { loadConfig } from "../../config/load.ts";
import type { ConfigInput } from "../../config/schema.ts";
import { freePort } from "../../lib/free-port.ts";
import { openTelemetry } from "../../telemetry/open.ts";
import { type CommandLineOptions, cleanEnv, type Ran, runWisbot } from "../command-line.ts";
import { type Serve, startServe } from "../serve.ts";

const main = join(import.meta.dir, "../../main.ts");

/** A wisbot without Discord in a folder of its own, to be killed and started again. */
export interface Instance extends AsyncDisposable {
  url: string;
  /** Without waiting until it is ready. */
  spawn(): Serve;
  run(...args: string[]): Promise<Ran>;
  /** A command that may be killed too. */
  command(...args: string[]): Bun.Subprocess<"ignore", "pipe", "ignore">;
  /** `/u/TICKET` of that many fresh links. Only while nothing else runs. */
  links(owner: string, count: number): Promise<string[]>;
  /** What the desk says that somebody has. */
  usage(owner: string): Promise<{ files: number; bytes: number }>;
  query<T>(sql: string): T[];
  /** Every file below the folder of blobs: committed ones, and unfinished writes. */
  stored(): Promise<{ blobs: number; bytes: number; unfinished: number }>;
}

export async function openInstance(): Promise<Instance> {
  const cwd = await mkdtemp(join(tmpdir(), "wisbot-kill-"));
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const config: ConfigInput = {
    llm: { hosts: [{ url: "http://127.0.0.1:9" }] },
    web: { port, public_url: url, trusted_proxies: ["127.0.0.1"] },
    files: {
      max_files_per_user: 1_000_000,
      max_bytes_per_user: "1TB",
      link_expires_after: "1d",
      min_free_disk: "1MB",
    },
    jobs: { cleanup_every: "300ms" },
    log: { format: "json" },
  };
  await writeFile(join(cwd, "config.yaml"), JSON.stringify(config), { mode: 0o600 });
  const options: CommandLineOptions = { cwd };
  const running = new Set<Serve>();

  async function withDesk<T>(use: (desk: Awaited<ReturnType<typeof openDesk>>) => Promise<T>): Promise<T> {
    const loaded = await loadConfig({ flags: {}, env: {}, cwd });
    const telemetry = await openTelemetry({ config: loaded.config, version: "test", secrets: [] });
    try {
      await using desk = await openDesk(loaded, telemetry);
      return await use(desk);
    } finally {
      await telemetry.shutdown();
    }
  }

  return {
    url,
    spawn() {
      const serve = startServe({ cwd, args: ["--no-discord"] });
      running.add(serve);
      void serve.exited.then(() => running.delete(serve));
      return serve;
    },
    run: (...args) => runWisbot(args, options),
    command: (...args) =>
      Bun.spawn([process.execPath, main, ...args], {
        cwd,
        env: cleanEnv(options),
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
      }),
    links: (ownerId, count) =>
      withDesk(async ({ files }) => {
        const made: string[] = [];
        for (let at = 0; at < count; at += 1) {
          made.push(new URL((await files.issue({ ownerId })).url).pathname);
        }
        return made;
      }),
    usage: (owner) => withDesk(({ files }) => files.usage(owner)),
    query<T>(sql: string) {
      using database = new Database(join(cwd, "data/wisbot.db"), { readonly: true });
      return database.query<T, []>(sql).all();
    },
    async stored() {
      const all = await readdir(join(cwd, "data/files"), { recursive: true, withFileTypes: true });
      const found = all.filter((entry) => entry.isFile());
      const blobs = found.filter(({ parentPath }) => !parentPath.endsWith("incoming"));
      const sizes = await Promise.all(
        blobs.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
      );
      return {
        blobs: blobs.length,
        bytes: sizes.reduce((sum, size) => sum + size, 0),
        unfinished: found.length - blobs.length,
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((serve) => serve.kill("SIGKILL")));
      await rm(cwd, { recursive: true, force: true });
    },
  };
}
