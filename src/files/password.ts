import { createHmac, timingSafeEqual } from "node:crypto";
import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { StoredFile } from "./ports.ts";

// OWASP's password storage cheat sheet, argon2id: 19 MiB, 2 passes, 1 lane.
const ARGON2ID = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
/** Longer ones are refused: hashing is work, and the sender chooses its size. */
const MAX_PASSWORD_BYTES = 1_024;
/** Hashes at once: each holds 19 MiB and a core. The others wait. */
const AT_ONCE = 2;
const MAX_WAITING = 32;
/** How long a person who knew the password need not type it again. */
const PASS_LIFE = 12 * 60 * 60_000;

/** Throws WisError `share.invalid` for one that is too long. */
export async function hashPassword(password: string): Promise<string> {
  refuseLong(password);
  return await inTurn(() => Bun.password.hash(password, ARGON2ID));
}

/**
 * The doors of shares with passwords. Who knows the password gets a pass: signed, good for that share with that
 * password alone and for 12 hours, so that nothing has to be kept of it.
 */
export function createDoors({ key, now }: { key: Buffer; now: Now }) {
  const sign = (shareId: string, passwordHash: string, until: number) =>
    createHmac("sha256", key).update(`${shareId} ${until} ${passwordHash}`).digest("base64url");

  function isPass(file: ShareDoor, pass: string): boolean {
    const [until = "", signature = ""] = pass.split(".");
    if (file.passwordHash === null || !(Number(until) > now())) return false;
    const expected = Buffer.from(sign(file.id, file.passwordHash, Number(until)));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  return {
    /** Throws WisError `password.wrong`. */
    async unlock(file: ShareDoor, password: string): Promise<string> {
      const { id, passwordHash } = file;
      if (passwordHash === null) return "";
      if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) throw wrongPassword();
      if (!(await inTurn(() => Bun.password.verify(password, passwordHash)))) throw wrongPassword();
      const until = now() + PASS_LIFE;
      return `${until}.${sign(id, passwordHash, until)}`;
    },
    admits: (file: ShareDoor, passes: readonly string[]): boolean =>
      file.passwordHash === null || passes.some((pass) => isPass(file, pass)),
  };
}

/** `id`: of the share, which a bundle's members are entered by. */
export type ShareDoor = Pick<StoredFile, "id" | "passwordHash">;

let running = 0;
const waiting: (() => void)[] = [];

/** Throws WisError `rate_limited` when too many wait already. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MAX_WAITING) throw tooBusy();
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function refuseLong(password: string): void {
  if (Buffer.byteLength(password) <= MAX_PASSWORD_BYTES) return;
  throw new WisError("share.invalid", {
    say: `The password is longer than ${MAX_PASSWORD_BYTES} bytes.`,
    hint: "Choose a shorter one.",
  });
}

function wrongPassword(): WisError {
  return new WisError("password.wrong", {
    say: "This is not the password.",
    hint: "Check it for typos, or ask whoever sent you the link.",
  });
}

function tooBusy(): WisError {
  return new WisError("rate_limited", {
    say: "Too many passwords are being checked at the moment.",
    hint: "Try again in a few seconds.",
  });
}
