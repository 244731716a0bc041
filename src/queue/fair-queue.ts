import { WisError } from "../errors.ts";
import type { Lease, Queue, Waiting } from "./ports.ts";

export interface FairQueueDeps {
  hosts: { name: string; slots: number }[];
  /** How many may wait, beyond those that hold a slot. */
  maxQueue: number;
}

interface Waiter extends Waiting {
  /** In which round it goes: everybody's first before anybody's second. */
  round: number;
  arrival: number;
  /** 0 once it has left the line. */
  position: number;
  told: number;
  grant(lease: Lease): void;
}

/**
 * Waiting in rounds: each round gives every key one slot, and within a round who came first goes first. What a key
 * was given counts for as long as somebody waits, so that somebody new goes before the next request of whoever is
 * being served; when the line empties, that is forgotten. A slot comes from the host with the most free ones.
 *
 * Joining and leaving cost time linear in the number that waits, at most `maxQueue`: a change has to tell all who
 * stand behind it anyway.
 */
export function createFairQueue({ hosts, maxQueue }: FairQueueDeps): Queue {
  const free = new Map(hosts.map(({ name, slots }) => [name, slots]));
  /** Sorted by turn. Empty whenever a slot is free. */
  const line: Waiter[] = [];
  const lastRounds = new Map<string, number>();
  const held = new Map<string, number>();
  let round = 0;
  let arrivals = 0;
  let active = 0;

  function lend(key: string, turn: number): Lease | undefined {
    const [host, slots] = [...free].reduce((most, next) => (next[1] > most[1] ? next : most), ["", 0]);
    if (slots === 0) return undefined;
    round = Math.max(round, turn);
    count(free, host, -1);
    count(held, key, 1);
    active += 1;
    let returned = false;
    return {
      host,
      [Symbol.dispose]() {
        if (returned) return;
        returned = true;
        active -= 1;
        count(free, host, 1);
        count(held, key, -1);
        serve();
      },
    };
  }

  function serve(): void {
    const [first] = line;
    const lease = first && lend(first.key, first.round);
    if (!first || !lease) {
      forget();
      return;
    }
    line.shift();
    first.position = 0;
    first.grant(lease);
    tellPositions();
  }

  function join(waiter: Waiter): void {
    line.push(waiter);
    line.sort(byTurn);
    tellPositions();
  }

  function leave(waiter: Waiter): void {
    line.splice(line.indexOf(waiter), 1);
    waiter.position = 0;
    // A turn that was not taken is given back: the key's later requests move up a round.
    for (const later of line) if (later.key === waiter.key && later.round > waiter.round) later.round -= 1;
    count(lastRounds, waiter.key, -1);
    line.sort(byTurn);
    tellPositions();
  }

  function tellPositions(): void {
    for (const [index, waiter] of line.entries()) waiter.position = index + 1;
    // Who is told may leave at once, and then those behind have been told a newer position already.
    for (const waiter of [...line]) {
      if (waiter.position === 0 || waiter.position === waiter.told) continue;
      waiter.told = waiter.position;
      waiter.onPosition?.(waiter.position);
    }
    forget();
  }

  function forget(): void {
    if (line.length > 0) return;
    for (const key of lastRounds.keys()) if ((held.get(key) ?? 0) === 0) lastRounds.delete(key);
    for (const [key, slots] of held) if (slots === 0) held.delete(key);
  }

  function wait(waiting: Waiting, turn: number): Promise<Lease> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    const { signal } = waiting;
    const onAbort = () => {
      leave(waiter);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      ...waiting,
      round: turn,
      arrival: arrivals++,
      position: 0,
      told: 0,
      grant(lease) {
        signal.removeEventListener("abort", onAbort);
        resolve(lease);
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    join(waiter);
    return promise;
  }

  return {
    async acquire(waiting) {
      const { key, signal } = waiting;
      signal.throwIfAborted();
      const turn = Math.max(round, (lastRounds.get(key) ?? -1) + 1);
      const lease = lend(key, turn);
      if (!lease && line.length >= maxQueue) throw full(line.length, active);
      lastRounds.set(key, turn);
      return lease ?? wait(waiting, turn);
    },
    get depth() {
      return { waiting: line.length, active };
    },
  };
}

function count(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function byTurn(a: Waiter, b: Waiter): number {
  return a.round - b.round || a.arrival - b.arrival;
}

function full(waiting: number, active: number): WisError {
  return new WisError("llm.queue_full", {
    say: `The queue is full: ${active} being answered, ${waiting} waiting.`,
    hint: "Ask again in a few minutes.",
  });
}
