/** Where in Discord something was asked for, so that its outcome finds its way back. */
export interface Origin {
  guildId: string | null;
  channelId: string;
  /** Asked for with `private`: the outcome must not go to the channel. */
  private: boolean;
  applicationId: string;
  /** Lives 15 minutes after `interactionAt`. */
  interactionToken: string;
  /** Milliseconds since the epoch. */
  interactionAt: number;
  /** The largest file that its asker may post there themselves, bytes. Absent in what an older wisbot wrote. */
  attachmentLimit?: number;
}

/** A message owed to a person. It is a row until it is delivered or known to be undeliverable. */
export interface Announcement {
  /** Also Discord's nonce: 22 characters, at most 25 fit. Sending it twice shows it once. */
  id: string;
  kind: "upload.finished" | "file.expiring";
  /** The file or bundle it speaks of; gone by delivery: nothing is owed any more. */
  fileId: string;
  /** Discord user id. */
  ownerId: string;
  /** Null for a link minted on the command line: a direct message is all that is left. */
  origin: Origin | null;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** The rows of the outbox. Implemented by store/. */
export interface AnnouncementLog {
  /** Rows due at `now`, oldest first. */
  due(now: number, limit: number): Promise<{ announcement: Announcement; attempts: number }[]>;
  /** When the next row falls due; undefined when none waits. */
  nextDueAt(): Promise<number | undefined>;
  /** How many are neither delivered nor given up. */
  waiting(): Promise<number>;
  delivered(id: string): Promise<void>;
  retryAt(id: string, at: number, attempts: number): Promise<void>;
  /** Given up: kept out of `due`, removed with the clean-up. */
  failed(id: string, now: number): Promise<void>;
  /** Drops rows that were given up before `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** Brings an announcement to its person. Implemented by discord/. */
export interface Messenger {
  /** Resolves when Discord has it. Throws WisError `announce.undeliverable` when trying again can't help; any other error is retried. */
  deliver(announcement: Announcement): Promise<void>;
}
