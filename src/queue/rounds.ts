/** Somebody's claim to a slot. */
export interface Turn {
  key: string;
  priority: number;
  again: boolean;
  preference: (host: string) => number | undefined;
  /** Lower goes first. */
  round: number;
}

/** A host as the queue knows it. */
export interface Host {
  name: string;
  /** 0 once it is gone. */
  slots: number;
  /** Who has a slot of it. */
  holders: Set<Turn>;
  /** Whose turns have come here while somebody waited: each key with the round of its last one. */
  turns: Map<string, number>;
}

/** Before every round. */
const NONE = Number.NEGATIVE_INFINITY;

/** As many keys a host knows; who had a turn longest ago counts as new again. */
const MOST_KEYS = 1_000;

/**
 * In which round a new claim goes. Everybody's first goes before anybody's second: a key goes a round after its own last
 * claim, waiting or served. A key that is new goes with the first of those who wait for the same hosts, and before
 * them if all of those have been served there already; what is asked of other hosts makes nobody wait.
 */
export function roundFor(turn: Omit<Turn, "round">, line: readonly Turn[], all: readonly Host[]): number {
  const hosts = reachOf(turn, all);
  const peers = line.filter(({ again, priority }) => again === turn.again && priority === turn.priority);
  const rivals = peers.filter(
    (peer) => peer.key !== turn.key && reachOf(peer, all).some((host) => hosts.includes(host)),
  );
  const own = peers.filter(({ key }) => key === turn.key);
  const served = lastTurn(hosts, turn.key);
  return Math.max(
    startAmong(rivals, hosts, served === NONE),
    latest(own.map(({ round }) => round)) + 1,
    served + 1,
  );
}

/** The round that is being served where this one could go. */
function startAmong(rivals: readonly Turn[], hosts: readonly Host[], isNew: boolean): number {
  if (rivals.length === 0) return Math.max(0, latest(hosts.flatMap(({ turns }) => [...turns.values()])));
  const lowest = rivals.reduce((least, { round }) => Math.min(least, round), Number.POSITIVE_INFINITY);
  const isSecond = ({ key }: Turn) => lastTurn(hosts, key) !== NONE;
  const next = rivals.filter(({ round }) => round === lowest);
  return isNew && next.every(isSecond) ? lowest - 1 : lowest;
}

/** Where it would go now; where that is nowhere, it may be anywhere later. */
function reachOf({ preference }: Pick<Turn, "preference">, all: readonly Host[]): readonly Host[] {
  const accepted = all.filter(({ name }) => preference(name) !== undefined);
  return accepted.length > 0 ? accepted : all;
}

function lastTurn(hosts: readonly Host[], key: string): number {
  return latest(hosts.flatMap(({ turns }) => turns.get(key) ?? []));
}

function latest(rounds: readonly number[]): number {
  return rounds.reduce((last, round) => Math.max(last, round), NONE);
}

/** Its turn has come here. */
export function noteTurn({ turns }: Host, { key, round }: Turn): void {
  const last = Math.max(round, turns.get(key) ?? round);
  turns.delete(key);
  turns.set(key, last);
  const [oldest] = turns.keys();
  if (turns.size > MOST_KEYS && oldest !== undefined) turns.delete(oldest);
}

/** Nobody waits: what people were given before no longer counts, except what they still have. */
export function forgetTurns({ turns, holders }: Host): void {
  const held = new Set([...holders].map(({ key }) => key));
  for (const key of turns.keys()) if (!held.has(key)) turns.delete(key);
}
