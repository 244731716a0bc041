import type { Lease, Queue, Waiting } from "../queue/ports.ts";

/** Takes these hosts and no others. */
export const only =
  (...accepted: string[]) =>
  (host: string) =>
    accepted.includes(host) ? 0 : undefined;

/** Everything that happens to the requests of one run, seen from outside. */
export function watchQueue(queue: Queue) {
  const granted: string[] = [];
  const held: { name: string; lease: Lease }[] = [];
  const waiting = new Map<string, { key: string; position: number; abort: AbortController }>();
  const told: string[] = [];
  const hostOf = new Map<string, string>();
  return {
    granted,
    hostOf,
    held,
    waiting,
    told,
    async ask(key: string, name: string, how: Pick<Waiting, "priority" | "preference" | "again"> = {}) {
      const abort = new AbortController();
      waiting.set(name, { key, position: 0, abort });
      const lease = queue.acquire({
        ...how,
        key,
        signal: abort.signal,
        onPosition(position) {
          told.push(`${name}:${position}`);
          waiting.set(name, { key, position, abort });
        },
      });
      lease.then(
        (lease) => {
          waiting.delete(name);
          granted.push(name);
          hostOf.set(name, lease.host);
          held.push({ name, lease });
        },
        () => waiting.delete(name),
      );
      await settle();
    },
    async release(index = 0) {
      held.splice(index, 1)[0]?.lease[Symbol.dispose]();
      await settle();
    },
    async leave(name: string) {
      waiting.get(name)?.abort.abort(new Error("left"));
      await settle();
    },
  };
}

/** Lets promises that are already resolved reach their listeners. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}
