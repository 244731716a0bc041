import { ERRORS, type Lock, type Locker } from "@tus/server";

/** A request that has the lock or waits for it. */
interface Place {
  /** Asks it to end soon: another one waits. */
  release(): void;
  /** Gives it the lock. */
  enter(): void;
}

/**
 * One request an upload at a time, in the order of their coming: whoever waits asks the one at work to end. The
 * library's own locker spins while it waits, which cost a full core and a gigabyte for one half-open PATCH
 * [measured, @tus/server 2.x].
 */
export function createFifoLocker(): Locker {
  const queues = new Map<string, Place[]>();

  function leave(id: string, place: Place): void {
    const queue = queues.get(id);
    const at = queue?.indexOf(place) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    const [next] = queue;
    if (!next) queues.delete(id);
    else if (at === 0) next.enter();
  }

  return {
    newLock(id): Lock {
      let mine: Place | undefined;
      return {
        async lock(signal, release) {
          const queue = queues.get(id) ?? [];
          queues.set(id, queue);
          const entered = Promise.withResolvers<void>();
          const place: Place = { release: () => void release(), enter: entered.resolve };
          mine = place;
          queue.push(place);
          const [first] = queue;
          if (first === place) return;
          first?.release();
          const onAbort = () => {
            leave(id, place);
            entered.reject(ERRORS.ABORTED);
          };
          signal.addEventListener("abort", onAbort, { once: true });
          await entered.promise.finally(() => signal.removeEventListener("abort", onAbort));
          // Somebody may have come while this one waited.
          if (queue.length > 1) place.release();
        },
        async unlock() {
          if (mine) leave(id, mine);
        },
      };
    },
  };
}
