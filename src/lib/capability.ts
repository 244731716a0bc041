import { createHash, randomBytes } from "node:crypto";

/** A new unguessable id: more than 128 random bits as 22 characters of `[A-Za-z0-9_-]`. Whoever holds it may use it. */
export function newCapability(): string {
  const id = randomBytes(17).toString("base64url").slice(0, 22);
  // On a command line it would be taken for an option.
  return id.startsWith("-") ? newCapability() : id;
}

/** What is stored of a capability that must not be readable from the database: its SHA-256 in hex. */
export function hashCapability(capability: string): string {
  return createHash("sha256").update(capability).digest("hex");
}

/** Enough of a capability to tell two apart in a log, too little to use. */
export function abbreviate(capability: string): string {
  return `${capability.slice(0, 4)}…`;
}
