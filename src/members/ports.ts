/**
 * Links by which admins sign in, and the sessions that they open. Keys come in as their hashes, times in milliseconds
 * since the epoch. Implemented by store/.
 */
export interface AdminKeys {
  addLink(linkHash: string, endsAt: number): Promise<void>;
  /** Undefined: there is no such link, or it is long gone. */
  link(linkHash: string): Promise<{ used: boolean; endsAt: number } | undefined>;
  /** Turns an unused link that has not ended by `now` into a session, once: false for whoever comes second. */
  open(input: { linkHash: string; sessionHash: string; now: number; endsAt: number }): Promise<boolean>;
  hasSession(sessionHash: string, now: number): Promise<boolean>;
  /** Ends one session. */
  end(sessionHash: string, now: number): Promise<void>;
  /** Ends everything that has not ended; gives how many of each. */
  endAll(now: number): Promise<{ sessions: number; links: number }>;
}
