import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { keys } from "./schema.ts";
import { given } from "./sql.ts";

/** Keys that wisbot makes for itself and keeps: what they sign stays valid after a restart, and nowhere else. */
export interface KeyRing {
  /** 256 random bits, made when first asked for; `name` says what for. */
  key(name: string): Promise<Buffer>;
}

export function createKeyRing({ db, keep }: Connection): KeyRing {
  const make = db
    .insert(keys)
    .values({ name: given("name"), value: given("value") })
    .onConflictDoNothing()
    .prepare();
  const get = db
    .select({ value: keys.value })
    .from(keys)
    .where(eq(keys.name, given("name")))
    .prepare();

  return {
    key: (name) =>
      keep(() => {
        make.run({ name, value: randomBytes(32).toString("base64url") });
        return Buffer.from(get.get({ name })?.value ?? "", "base64url");
      }),
  };
}
