import { toWisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import type { Now } from "../lib/clock.ts";
import type { PartState } from "./ports.ts";

export interface PartsDeps {
  database: { ping(): Promise<void> };
  disk: { free(): Promise<number> };
  /** Bytes that uploads leave free. */
  minFreeDisk: number;
  discord(): { state: "off" | "connecting" | "ready" | "refused" | "stopped"; detail: string };
  /** The model servers: asking them all, and what is known of them since. */
  llm: {
    look(): Promise<void>;
    health(): readonly { name: string; state: "ok" | "resting" | "unknown"; detail: string }[];
  };
  collector(): { endpoint: string; failing: boolean; dropped: number } | undefined;
  now: Now;
}

/** What a host said holds so long: /ready and the home page may be asked by anybody, as often as they like. */
const HOSTS_KNOWN_MS = 5_000;

/** The state of every part of a running wisbot. Never rejects: a part that can't say is itself a state. */
export function createParts(deps: PartsDeps): () => Promise<PartState[]> {
  const { now } = deps;
  let known: { at: number; state: Promise<PartState> } | undefined;

  function llm(): Promise<PartState> {
    if (known === undefined || now() - known.at >= HOSTS_KNOWN_MS)
      known = { at: now(), state: askHosts(deps) };
    return known.state;
  }

  return () => Promise.all([database(deps), disk(deps), discord(deps), llm(), collector(deps)]);
}

async function database({ database }: PartsDeps): Promise<PartState> {
  try {
    await database.ping();
    return { part: "database", state: "ok", detail: "It answers." };
  } catch (error) {
    return { part: "database", state: "failed", detail: toWisError(error).say };
  }
}

async function disk({ disk, minFreeDisk }: PartsDeps): Promise<PartState> {
  try {
    const free = await disk.free();
    const detail = `${formatBytes(free)} free.`;
    if (free > minFreeDisk) return { part: "disk", state: "ok", detail };
    const why = `Uploads are refused below ${formatBytes(minFreeDisk)}; downloads work.`;
    return { part: "disk", state: "degraded", detail: `${detail} ${why}` };
  } catch (error) {
    return { part: "disk", state: "failed", detail: toWisError(error).say };
  }
}

async function discord({ discord }: PartsDeps): Promise<PartState> {
  const { state, detail } = discord();
  const seen = {
    off: "off",
    stopped: "off",
    ready: "ok",
    connecting: "degraded",
    refused: "degraded",
  } as const;
  return { part: "discord", state: seen[state], detail };
}

async function askHosts({ llm }: PartsDeps): Promise<PartState> {
  await llm.look();
  const hosts = llm.health();
  const isAway = hosts.some(({ state }) => state !== "ok");
  const detail = hosts.map((host) => `${host.name}: ${host.detail}`).join("; ");
  return { part: "llm", state: isAway ? "degraded" : "ok", detail };
}

async function collector({ collector }: PartsDeps): Promise<PartState> {
  const state = collector();
  if (!state) return { part: "collector", state: "off", detail: "Traces are not exported." };
  if (!state.failing) return { part: "collector", state: "ok", detail: "Traces are exported." };
  return {
    part: "collector",
    state: "degraded",
    detail: `It does not take traces; ${state.dropped} dropped.`,
  };
}
