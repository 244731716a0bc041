import { createHash } from "node:crypto";
import { resolve } from "node:path";

/** Names the wisbot of a data dir without telling where that is: /live shows it, doctor compares it. */
export function instanceOf(dataDir: string): string {
  return createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 16);
}
