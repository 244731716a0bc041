/** Something happened that a test or a page may wait for. */
export type Change = "message" | "interaction" | "command" | "gateway" | "request" | "violation";

export interface Changes {
  emit(change: Change): void;
  /** Gives the way to stop listening. */
  subscribe(listener: (change: Change) => void): () => void;
  /**
   * The first value that `probe` finds, asked now and after every change. Rejects after `timeout` milliseconds, and
   * tells then what `seen` shows.
   */
  until<T>(what: string, probe: () => T | undefined, options?: WaitOptions): Promise<T>;
}

export interface WaitOptions {
  /** Milliseconds; 10,000 unless said, which a slow machine needs. It only ends a wait that would never end. */
  timeout?: number;
  seen?: () => unknown;
}

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();

  function subscribe(listener: (change: Change) => void) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  return {
    subscribe,
    emit(change) {
      for (const listener of [...listeners]) listener(change);
    },
    until<T>(what: string, probe: () => T | undefined, { timeout = 10_000, seen }: WaitOptions = {}) {
      const first = probe();
      if (first !== undefined) return Promise.resolve(first);
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const stop = subscribe(() => {
        try {
          const found = probe();
          if (found !== undefined) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      });
      const timer = setTimeout(() => {
        const shown = seen ? ` Seen: ${JSON.stringify(seen(), undefined, 2)}` : "";
        settle(() => reject(new Error(`Waited ${timeout} ms for ${what}.${shown}`)));
      }, timeout);
      function settle(end: () => void) {
        clearTimeout(timer);
        stop();
        end();
      }
      return promise;
    },
  };
}
