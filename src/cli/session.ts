import { loadConfig } from "../config/load.ts";
import { type LoadedConfig, secretsOf } from "../config/loaded.ts";
import { WisError } from "../errors.ts";
import { openTelemetry } from "../telemetry/open.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { version } from "../version.ts";
import type { Globals } from "./command.ts";

/**
 * Opens something for one command and closes it, whatever happens. Ctrl+C and SIGTERM abort the signal, so that an
 * upload that is cut gives back what it had reserved.
 */
export async function withOpened<Opened extends AsyncDisposable, T>(
  globals: Globals,
  open: (loaded: LoadedConfig, telemetry: Telemetry) => Promise<Opened>,
  run: (opened: Opened, signal: AbortSignal, loaded: LoadedConfig) => Promise<T>,
): Promise<T> {
  const loaded = await loadConfig({ flags: globals, env: process.env, cwd: process.cwd() });
  await using stack = new AsyncDisposableStack();
  const telemetry = await openTelemetry({ config: loaded.config, version, secrets: secretsOf(loaded) });
  stack.defer(() => telemetry.shutdown());
  const opened = stack.use(await open(loaded, telemetry));
  using interruption = onInterrupt();
  return await run(opened, interruption.signal, loaded);
}

function onInterrupt(): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const abort = () => controller.abort(interrupted());
  process.once("SIGINT", abort);
  process.once("SIGTERM", abort);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", abort);
      process.off("SIGTERM", abort);
    },
  };
}

function interrupted(): WisError {
  return new WisError("shutting_down", {
    say: "Interrupted: nothing was left behind.",
    hint: "Run the command again.",
  });
}
