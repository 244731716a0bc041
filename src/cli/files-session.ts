import type { LoadedConfig } from "../config/loaded.ts";
import type { FileDesk } from "../files/desk.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Globals } from "./command.ts";
import { withOpened } from "./session.ts";

/** Opens the file desk for one command and closes it, whatever happens. */
export function withDesk<T>(
  globals: Globals,
  run: (desk: FileDesk, signal: AbortSignal, loaded: LoadedConfig) => Promise<T>,
): Promise<T> {
  return withOpened(globals, openDesk, run);
}

async function openDesk(loaded: LoadedConfig, telemetry: Telemetry): Promise<FileDesk> {
  const app = await import("../app.ts");
  return app.openDesk(loaded, telemetry);
}
