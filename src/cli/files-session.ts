import { loadConfig } from "../config/load.ts";
import { type LoadedConfig, secretsOf } from "../config/loaded.ts";
import { WisError } from "../errors.ts";
import type { FileDesk } from "../files/desk.ts";
import { openTelemetry } from "../telemetry/open.ts";
import { version } from "../version.ts";
import type { Globals } from "./command.ts";

/**
 * Opens the desk for one command and closes it, whatever happens. Ctrl+C and SIGTERM abort the signal, so that an
 * upload that is cut gives back what it had reserved.
 */
export async function withDesk<T>(
  globals: Globals,
  run: (desk: FileDesk, signal: AbortSignal, loaded: LoadedConfig) => Promise<T>,
): Promise<T> {
  const loaded = await loadConfig({ flags: globals, env: process.env, cwd: process.cwd() });
  const { openDesk } = await import("../app.ts");
  await using opened = new AsyncDisposableStack();
  const telemetry = await openTelemetry({ config: loaded.config, version, secrets: secretsOf(loaded) });
  opened.defer(() => telemetry.shutdown());
  const desk = opened.use(await openDesk(loaded, telemetry));
  using interruption = onInterrupt();
  return await run(desk, interruption.signal, loaded);
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
