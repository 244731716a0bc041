import type { LoadedConfig } from "../config/loaded.ts";
import { notedAddress } from "../store/address.ts";
import { lockDataDir } from "../store/lock.ts";
import { openStore, type Store } from "../store/open.ts";
import type { Telemetry } from "../telemetry/ports.ts";

/** The configuration as `serve` has it where that runs beside: its own flags may name another port. */
export function asServed(loaded: LoadedConfig, lock: Disposable | undefined): LoadedConfig {
  if (lock) return loaded;
  return { ...loaded, publicUrl: notedAddress(loaded.dataDir) ?? loaded.publicUrl };
}

/**
 * The database for one command, also while `serve` runs: only who finds the data dir's lock free migrates. `opening`
 * closes it. Throws WisError data_dir.*, database.*, disk.*.
 */
export async function openBeside(
  loaded: LoadedConfig,
  { log }: Pick<Telemetry, "log">,
  opening: AsyncDisposableStack,
): Promise<{ store: Store; publicUrl: string }> {
  const { dataDir } = loaded;
  const lock = lockDataDir(dataDir);
  if (lock) opening.use(lock);
  const store = opening.use(await openStore({ dataDir, log, migrate: lock !== undefined }));
  return { store, publicUrl: asServed(loaded, lock).publicUrl };
}
