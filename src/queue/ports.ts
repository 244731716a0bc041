/** A slot on one host, held until it is disposed. */
export interface Lease extends Disposable {
  readonly host: string;
}

export interface Waiting {
  /** Whose turn it is counted against: nobody's next request goes before another's first. */
  key: string;
  /** Leaving the queue, or giving up the wait. Rejects with the signal's reason. */
  signal: AbortSignal;
  /** 1 is next. Called at once when it has to wait, and at every change. */
  onPosition?: (position: number) => void;
}

/** Fair, bounded waiting for slots on hosts. Knows nothing of who asks for what. */
export interface Queue {
  /** Rejects with WisError llm.queue_full at once when `maxQueue` already wait. */
  acquire(waiting: Waiting): Promise<Lease>;
  /** How many wait and how many hold a slot. */
  readonly depth: { waiting: number; active: number };
}
