export type Severity = "ok" | "warn" | "fail" | "crash" | "skip";

/** What a check found. `fix` says what to do or type when it is not ok. */
export interface Finding {
  severity: Exclude<Severity, "crash">;
  detail: string;
  fix?: string;
}

/** One question that doctor asks. */
export interface Check {
  /** `part.what`, such as `web.port`. */
  code: string;
  title: string;
  /** Needs nothing beyond this machine: also asked by --preflight. */
  offline: boolean;
  /** A throw is a crash, not a failure: report what was found instead. */
  run(signal: AbortSignal): Promise<Finding>;
}

/** The state of one part of a running wisbot, for /ready and the home page. */
export interface PartState {
  part: "database" | "disk" | "discord" | "llm" | "collector";
  /** off: not configured. degraded: wisbot goes on without it. failed: it can't. */
  state: "ok" | "off" | "degraded" | "failed";
  /** One sentence, no secrets. */
  detail: string;
}
