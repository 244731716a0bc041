/** A slot on one host, held until it is disposed. */
export interface Lease extends Disposable {
  readonly host: string;
}

export interface Waiting {
  /** Whose turn it is counted against: nobody's next request goes before another's first. */
  key: string;
  /** Higher goes first, before all fairness. Default 0. */
  priority?: number;
  /**
   * How gladly a host is taken for this one, higher first; undefined: not at all. Asked whenever a slot is free. Default:
   * any host, all the same. Between equals, the one with the most free slots.
   */
  preference?: (host: string) => number | undefined;
  /** It had a slot already and goes on elsewhere: before everybody, and even where the queue is full. */
  again?: boolean;
  /** Leaving the queue, or giving up the wait. Rejects with the signal's reason. */
  signal: AbortSignal;
  /** 1 is next. Called at once when it has to wait, and at every change. */
  onPosition?: (position: number) => void;
}

/** Fair, bounded waiting for slots on hosts. Knows nothing of who asks for what. */
export interface Queue {
  /** Rejects with WisError llm.queue_full at once when `maxQueue` already wait. */
  acquire(waiting: Waiting): Promise<Lease>;
  /**
   * Throws WisError llm.queue_full where `acquire` would once `ahead` others have come in: before something is made ready
   * that would be in vain.
   */
  assertRoom(preference?: Waiting["preference"], ahead?: number): void;
  /** Preferences may have changed: whoever can go now goes. */
  reconsider(): void;
  /** Other hosts from now on: new ones serve, one that is gone gets nobody new and is forgotten when its last slot is free. */
  setHosts(hosts: readonly { name: string; slots: number }[]): void;
  /** How many wait and how many hold a slot. */
  readonly depth: { waiting: number; active: number };
  /** How many hold a slot of each host, those that are gone too. The same map always, kept up to date. */
  readonly active: ReadonlyMap<string, number>;
}
