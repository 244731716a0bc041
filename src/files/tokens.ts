import { WisError } from "../errors.ts";
import { hashCapability, newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { Asker } from "../members/member.ts";
import type { IssuedToken } from "./files.ts";
import type { TokenIndex, TokenRow } from "./ports.ts";

/** Tokens of one member. */
const MAX_TOKENS = 10;
const MAX_NAME = 60;
/** Secret scanners find leaked tokens by such a start. */
const PREFIX = "wis_";
const SECRET = /^wis_[A-Za-z0-9_-]{44}$/;

export interface TokenDeps {
  tokens: TokenIndex;
  /** How long a token that nobody uses stays good, milliseconds. */
  tokenLife: number;
  now: Now;
}

/** Mints an API token: see Files.mintToken. 264 random bits; only their hash is kept. */
export async function mintToken(
  { tokens, now }: Pick<TokenDeps, "tokens" | "now">,
  { ownerId, asker, name }: { ownerId: string; asker: Asker; name: string },
): Promise<IssuedToken> {
  await tokens.refresh(ownerId, asker);
  const secret = `${PREFIX}${newCapability()}${newCapability()}`;
  const row: TokenRow = {
    id: newCapability(),
    ownerId,
    asker,
    name: name.replace(/\s+/g, " ").trim().slice(0, MAX_NAME) || "token",
    createdAt: now(),
    lastUsedAt: null,
  };
  if (await tokens.insert({ ...row, hash: hashCapability(secret) }, MAX_TOKENS)) return { ...row, secret };
  throw new WisError("token.limit", {
    say: `You have ${MAX_TOKENS} tokens already.`,
    hint: "Revoke one that you no longer need.",
  });
}

/** Throws WisError `token.unknown`. */
export async function tokenOf({ tokens, tokenLife, now }: TokenDeps, secret: string): Promise<TokenRow> {
  const at = { now: now(), idleSince: now() - tokenLife };
  const row = SECRET.test(secret) ? await tokens.use(hashCapability(secret), at) : undefined;
  if (!row) throw unknownToken();
  return row;
}

/** Throws WisError `token.unknown`. */
export async function revokeToken(
  { tokens }: Pick<TokenDeps, "tokens">,
  id: string,
  by: { ownerId: string } | "admin",
): Promise<void> {
  if (!(await tokens.remove(id, by === "admin" ? undefined : by.ownerId))) throw unknownToken();
}

function unknownToken(): WisError {
  return new WisError("token.unknown", {
    say: "This token is not valid. It may have been revoked, or not used for too long.",
    hint: "Get a new one with /wis token.",
  });
}
