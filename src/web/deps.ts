import type { Config } from "../config/schema.ts";
import type { PartState } from "../doctor/ports.ts";
import type { Files } from "../files/files.ts";
import type { Now } from "../lib/clock.ts";
import type { Llm } from "../llm/llm.ts";
import type { Admins } from "../members/admins.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Rates } from "./rates.ts";

/** What the web says about the bot. The Discord edge's own state has this shape. */
export interface BotView {
  state: "off" | "connecting" | "ready" | "refused" | "stopped";
  detail: string;
  /** Set while the bot is in no server. */
  inviteUrl: string | undefined;
}

export interface WebDeps {
  config: Config;
  /** What links begin with; no trailing slash. */
  publicUrl: string;
  files: Files;
  admins: Pick<Admins, "look" | "enter" | "admit" | "leave">;
  /** What the admin's pages show: nothing that asks or changes anything. */
  llm: Pick<Llm, "history" | "votes" | "status">;
  telemetry: Telemetry;
  metrics: Metrics;
  parts(): Promise<PartState[]>;
  bot(): BotView;
  version: string;
  /** Tells one wisbot from another on the same machine: see instance.ts. */
  instance: string;
  now: Now;
  /** Port 0 takes any free one. */
  listen: { host: string; port: number };
  /** Default: rates.ts. */
  rates?: Partial<Rates>;
}
