import { WisError } from "../errors.ts";
import type { Lease, Queue, Waiting } from "./ports.ts";
import { forgetTurns, type Host, noteTurn, roundFor, type Turn } from "./rounds.ts";

export interface FairQueueDeps {
  hosts: readonly { name: string; slots: number }[];
  /** How many may wait, beyond those that hold a slot. */
  maxQueue: number;
}

interface Waiter extends Turn {
  arrival: number;
  /** 0 once it has left the line. */
  position: number;
  told: number;
  onPosition: Waiting["onPosition"];
  grant(lease: Lease): void;
}

const anyHost = () => 0;

/**
 * Whoever stands first in line and accepts a host that has a free slot goes first; who waits for busy hosts holds up
 * nobody behind. First in line are those who had a slot already, then higher priority, then the lower round (see
 * rounds.ts), then who came first.
 *
 * Joining and leaving cost time linear in the number that waits, at most `maxQueue` and those who had a slot already: a
 * change has to tell all who stand behind it anyway.
 */
export function createFairQueue({ hosts: initial, maxQueue }: FairQueueDeps): Queue {
  const hosts = new Map<string, Host>();
  const active = new Map<string, number>();
  /** Sorted by turn. */
  const line: Waiter[] = [];
  let arrivals = 0;

  function setHosts(next: FairQueueDeps["hosts"]): void {
    for (const host of hosts.values()) host.slots = 0;
    for (const { name, slots } of next) {
      const known = hosts.get(name);
      if (known) known.slots = slots;
      else hosts.set(name, { name, slots, holders: new Set(), turns: new Map() });
    }
    for (const host of hosts.values()) tally(host);
    reconsider();
  }

  /** A host that is gone is known until its last slot comes back. */
  function tally({ name, slots, holders }: Host): void {
    if (holders.size > 0) active.set(name, holders.size);
    else active.delete(name);
    if (slots === 0 && holders.size === 0) hosts.delete(name);
  }

  function lend(host: Host, turn: Turn): Lease {
    noteTurn(host, turn);
    host.holders.add(turn);
    tally(host);
    return {
      host: host.name,
      [Symbol.dispose]() {
        if (!host.holders.delete(turn)) return;
        tally(host);
        reconsider();
      },
    };
  }

  function reconsider(): void {
    for (const waiter of [...line]) {
      const host = bestOf(hosts.values(), waiter);
      if (!host) continue;
      remove(waiter);
      waiter.grant(lend(host, waiter));
    }
    tellPositions();
  }

  function remove(waiter: Waiter): void {
    line.splice(line.indexOf(waiter), 1);
    waiter.position = 0;
  }

  function leave(waiter: Waiter): void {
    remove(waiter);
    // A turn that was not taken is given back: the key's later requests move up a round.
    for (const later of line) if (later.key === waiter.key && later.round > waiter.round) later.round -= 1;
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
    if (line.length === 0) for (const host of hosts.values()) forgetTurns(host);
  }

  function wait(turn: Turn, { signal, onPosition }: Pick<Waiting, "signal" | "onPosition">): Promise<Lease> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    const onAbort = () => {
      leave(waiter);
      reject(signal.reason);
    };
    const grant = (lease: Lease) => {
      signal.removeEventListener("abort", onAbort);
      resolve(lease);
    };
    const waiter: Waiter = { ...turn, arrival: arrivals++, position: 0, told: 0, onPosition, grant };
    signal.addEventListener("abort", onAbort, { once: true });
    line.push(waiter);
    line.sort(byTurn);
    tellPositions();
    return promise;
  }

  setHosts(initial);
  return {
    async acquire({ key, priority = 0, preference = anyHost, again = false, ...waiting }) {
      waiting.signal.throwIfAborted();
      // What waits already goes first, wherever preferences have changed meanwhile.
      reconsider();
      const claim = { key, priority, preference, again };
      const turn = { ...claim, round: roundFor(claim, line, [...hosts.values()]) };
      const host = bestOf(hosts.values(), turn);
      if (host) return lend(host, turn);
      if (!again && line.length >= maxQueue) throw full(line.length, total(active));
      return wait(turn, waiting);
    },
    assertRoom(preference = anyHost, ahead = 0) {
      const free = freeFor(hosts.values(), { preference }).reduce(
        (sum, { host }) => sum + freeSlots(host),
        0,
      );
      if (ahead < free + Math.max(0, maxQueue - line.length)) return;
      throw full(line.length + ahead, total(active));
    },
    reconsider,
    setHosts,
    active,
    get depth() {
      return { waiting: line.length, active: total(active) };
    },
  };
}

/** The free host that it likes best; of several, the one with the most free slots. */
function bestOf(hosts: Iterable<Host>, turn: Pick<Turn, "preference">): Host | undefined {
  return freeFor(hosts, turn).sort((a, b) => b.liked - a.liked || freeSlots(b.host) - freeSlots(a.host))[0]
    ?.host;
}

/** Hosts with a free slot that it accepts, and how gladly. */
function freeFor(hosts: Iterable<Host>, { preference }: Pick<Turn, "preference">) {
  return [...hosts]
    .filter((host) => freeSlots(host) > 0)
    .flatMap((host) => ({ host, liked: preference(host.name) }))
    .filter((one): one is { host: Host; liked: number } => one.liked !== undefined);
}

const freeSlots = ({ slots, holders }: Host) => slots - holders.size;

function byTurn(a: Waiter, b: Waiter): number {
  return (
    Number(b.again) - Number(a.again) || b.priority - a.priority || a.round - b.round || a.arrival - b.arrival
  );
}

function total(counts: ReadonlyMap<string, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

function full(waiting: number, active: number): WisError {
  return new WisError("llm.queue_full", {
    say: `The queue is full: ${active} being answered, ${waiting} waiting.`,
    hint: "Ask again in a few minutes.",
  });
}
