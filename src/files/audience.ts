import { createHmac } from "node:crypto";

/** Turns who asked (an address, a browser) into a name that tells two apart and can't be turned back without `key`. */
export function createAudience(key: Buffer): (client: string) => string {
  return (client) => createHmac("sha256", key).update(client).digest("base64url").slice(0, 16);
}
