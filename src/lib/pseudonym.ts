import { createHmac } from "node:crypto";

/** Turns who somebody is (an account, an address, a browser) into a name that tells two apart and can't be turned back without `key`. */
export function createPseudonyms(key: Buffer): (identity: string) => string {
  return (identity) => createHmac("sha256", key).update(identity).digest("base64url").slice(0, 16);
}
