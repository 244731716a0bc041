import { randomBytes } from "node:crypto";
import type { Now } from "../lib/clock.ts";

/** Who looks again within that time has not come back: as long as a download's session. */
const LOOK_LIFE = 12 * 60 * 60_000;
/** Looks that are remembered: some bytes each, however long the names are. */
const MOST = 10_000;

/** Who has looked at which share lately, so that somebody who goes on looking does not fill the audit. */
export interface Looks {
  isFirst(shareId: string, visitor: string): boolean;
}

export function createLooks({ now }: { now: Now }): Looks {
  // Kept from whoever would like to be taken for somebody else.
  const seed = randomBytes(8).readBigUInt64LE();
  const known = new Map<bigint, number>();
  return {
    isFirst(shareId, visitor) {
      const name = Bun.hash.wyhash(`${shareId} ${visitor}`, seed);
      const at = known.get(name);
      if (at !== undefined && now() - at < LOOK_LIFE) return false;
      known.delete(name);
      known.set(name, now());
      const [oldest] = known.keys();
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
      return true;
    },
  };
}
