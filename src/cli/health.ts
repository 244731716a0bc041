import { isIPv6 } from "node:net";
import { loadConfig } from "../config/load.ts";
import { isWisError, WisError } from "../errors.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { print } from "./output.ts";
import { tellError } from "./report.ts";

const LIMIT_MS = 3_000;

/** The address to ask: one that is only for listening stands for this machine's loopback. */
export function liveUrl({ host, port }: { host: string; port: number }): string {
  const asked = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${isIPv6(asked) ? `[${asked}]` : asked}:${port}/live`;
}

async function ask(url: string): Promise<void> {
  const hint = "Start it with wisbot serve, or see its log for why it does not answer.";
  const response = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS), redirect: "manual" }).catch(
    (cause: unknown) => {
      throw new WisError("internal", { say: `No wisbot answers at ${url}.`, hint, cause });
    },
  );
  if (!response.ok) throw new WisError("internal", { say: `${url} answered ${response.status}.`, hint });
}

/** `wisbot health`: 0 when the configured address answers within 3 s, else 1, whatever the reason. */
export async function health({ globals }: { globals: Globals }): Promise<ExitCode> {
  try {
    const { config } = await loadConfig({ flags: globals, env: process.env, cwd: process.cwd() });
    await ask(liveUrl(config.web));
    print("alive");
    return exit.ok;
  } catch (error) {
    // A container's health check knows 0 and 1 only, so a bad config is no 78 here.
    if (!isWisError(error)) throw error;
    tellError(error, { debug: globals.logLevel === "debug" });
    return exit.failed;
  }
}
