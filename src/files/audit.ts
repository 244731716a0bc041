import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { AuditAction, AuditEntry, AuditLog, StoredFile } from "./ports.ts";

/** Entries that may wait to be written. What comes on top of them is written with them, at once. */
const MAX_WAITING = 200;
/** Entries wait so long, so that a hundred downloads a second cost one write. Milliseconds. */
const DELAY = 1_000;

export interface AuditTrailDeps {
  log: Pick<AuditLog, "add">;
  telemetry: Pick<Telemetry, "record">;
  now: Now;
}

export interface AuditTrail extends AsyncDisposable {
  /**
   * Notes what happened, under the share: what happens to a bundle's file is the bundle's story, and says its name.
   * Never throws and never waits: what can't be written is recorded as an error.
   */
  note(file: Pick<StoredFile, "shareId" | "ownerId" | "name">, action: AuditAction, who: string): void;
  /** Resolves when everything noted so far is written. */
  flush(): Promise<void>;
}

/** Writes the audit in batches, a second behind. */
export function createAuditTrail({ log, telemetry, now }: AuditTrailDeps): AuditTrail {
  let waiting: AuditEntry[] = [];
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const entries = waiting;
    waiting = [];
    if (entries.length > 0) {
      writing = writing
        .then(() => log.add(entries))
        .catch((error: unknown) => void telemetry.record(error, "writing the audit"));
    }
    return writing;
  }

  return {
    note({ shareId: fileId, ownerId, name }, action, who) {
      waiting.push({ at: now(), fileId, ownerId, name, action, who });
      if (waiting.length >= MAX_WAITING) void flush();
      else timer ??= setTimeout(() => void flush(), DELAY);
    },
    flush,
    [Symbol.asyncDispose]: flush,
  };
}
