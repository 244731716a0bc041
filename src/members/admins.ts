import { WisError } from "../errors.ts";
import { hashCapability, newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { AdminKeys } from "./ports.ts";

/** Milliseconds in which a link can be used. */
export const LINK_LIFE = 10 * 60_000;
/** Milliseconds that a session lasts, whatever is done in it. */
export const SESSION_LIFE = 12 * 60 * 60_000;

export interface AdminsDeps {
  keys: AdminKeys;
  now: Now;
}

/** Who may see what is the admin's. The way in is a link that whoever runs the command line hands out. */
export interface Admins {
  /** A new link's key, good once. `endsAt`: milliseconds since the epoch. */
  invite(): Promise<{ key: string; endsAt: number }>;
  /** Whether a link can be used; using nothing up. [not_found, admin.link_spent] */
  look(key: string): Promise<void>;
  /** Uses a link up for a session, and gives that one's key. [not_found, admin.link_spent] */
  enter(key: string): Promise<string>;
  /** Undefined: nobody has shown a session's key. [admin.sign_in] */
  admit(session: string | undefined): Promise<void>;
  leave(session: string): Promise<void>;
  /** Ends all sessions and all links that could still be used. */
  signOutAll(): Promise<{ sessions: number; links: number }>;
}

export function createAdmins({ keys, now }: AdminsDeps): Admins {
  async function look(key: string): Promise<void> {
    const link = await keys.link(hashCapability(key));
    if (!link) throw unknown();
    if (link.used || link.endsAt <= now()) throw spent();
  }

  return {
    async invite() {
      const key = newCapability();
      const endsAt = now() + LINK_LIFE;
      await keys.addLink(hashCapability(key), endsAt);
      return { key, endsAt };
    },
    look,
    async enter(key) {
      const session = newCapability();
      const hashes = { linkHash: hashCapability(key), sessionHash: hashCapability(session) };
      if (await keys.open({ ...hashes, now: now(), endsAt: now() + SESSION_LIFE })) return session;
      await look(key);
      throw spent();
    },
    async admit(session) {
      if (session !== undefined && (await keys.hasSession(hashCapability(session), now()))) return;
      throw new WisError("admin.sign_in", {
        say: "This page is for the admin.",
        hint: "Run wisbot admin link where WisBot runs, and open the link that it prints.",
      });
    },
    leave: (session) => keys.end(hashCapability(session), now()),
    signOutAll: () => keys.endAll(now()),
  };
}

function unknown(): WisError {
  return new WisError("not_found", {
    say: "There is no such link to sign in.",
    hint: "Copy it whole, or run wisbot admin link for a new one.",
  });
}

function spent(): WisError {
  return new WisError("admin.link_spent", {
    say: "This link to sign in was used already, or its time is up.",
    hint: "Run wisbot admin link where WisBot runs, for a new one.",
  });
}
