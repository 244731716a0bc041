import type { Now } from "../lib/clock.ts";
import { createFingerprint } from "../lib/fingerprint.ts";

/** Who looks again within that time has not come back: as long as a download's session. */
const LOOK_LIFE = 12 * 60 * 60_000;
/** Looks that are remembered: some bytes each, however long the names are. */
const MOST = 10_000;

/** Who has looked at which share lately, so that somebody who goes on looking does not fill the audit. */
export interface Looks {
  isFirst(shareId: string, visitor: string): boolean;
}

export function createLooks({ now }: { now: Now }): Looks {
  const fingerprint = createFingerprint();
  const known = new Map<bigint, number>();
  return {
    isFirst(shareId, visitor) {
      const name = fingerprint(`${shareId} ${visitor}`);
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
