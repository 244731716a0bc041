import type { LoadedConfig } from "../config/loaded.ts";
import { systemNow as now } from "../lib/clock.ts";
import { type Admins, createAdmins } from "../members/admins.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { openBeside } from "./beside.ts";

export interface AdminDesk extends Pick<Admins, "signOutAll">, AsyncDisposable {
  /** A link that signs one browser in. `endsAt`: milliseconds since the epoch. */
  link(): Promise<{ url: string; endsAt: number }>;
}

/** Who may sign in as admin, for one command; also while `serve` runs. Throws WisError data_dir.*, database.*, disk.*. */
export async function openAdmins(loaded: LoadedConfig, telemetry: Telemetry): Promise<AdminDesk> {
  await using opening = new AsyncDisposableStack();
  const { store, publicUrl } = await openBeside(loaded, telemetry, opening);
  const { invite, signOutAll } = createAdmins({ keys: store.adminKeys, now });
  const opened = opening.move();
  return {
    signOutAll,
    async link() {
      const { key, endsAt } = await invite();
      return { url: `${publicUrl}/admin/enter/${key}`, endsAt };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
