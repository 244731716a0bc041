import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { FileIndex } from "./ports.ts";

/** How often living uploads say so, and slow ones are looked for. */
const HEARTBEAT = 5_000;

/** No heartbeat for this long: the process that received it is dead. Nine beats, so that a busy machine buries nobody alive. */
export const DEAD_AFTER = 45_000;

/** Calls `tick` every `ms` until disposed. */
export type Ticker = (ms: number, tick: () => void) => Disposable;

export interface LiveUpload {
  id: string;
  tooSlow(now: number): boolean;
  /** Ends it as too slow. */
  cut(): void;
}

/** The uploads that this process is receiving. One timer beats and watches for all of them, only while there are any. */
export interface LiveUploads {
  enter(upload: LiveUpload): Disposable;
  has(id: string): boolean;
}

export interface LiveUploadsDeps {
  index: Pick<FileIndex, "touch">;
  telemetry: Pick<Telemetry, "record">;
  /** How long a cut upload can be gone on with, milliseconds. */
  resumeFor: number;
  now: Now;
  /** Tests turn the clock by hand. */
  ticker?: Ticker;
}

export function createLiveUploads({
  index,
  telemetry,
  resumeFor,
  now,
  ticker = interval,
}: LiveUploadsDeps): LiveUploads {
  const live = new Map<string, LiveUpload>();
  let timer: Disposable | undefined;

  function tick() {
    const at = now();
    for (const upload of live.values()) {
      if (upload.tooSlow(at)) upload.cut();
    }
    index
      .touch([...live.keys()], at, resumeFor)
      .catch((error: unknown) => telemetry.record(error, "saying that uploads are alive"));
  }

  return {
    enter(upload) {
      live.set(upload.id, upload);
      timer ??= ticker(HEARTBEAT, tick);
      return {
        [Symbol.dispose]() {
          // The next sender through the same link may be here before this one has tidied up.
          if (live.get(upload.id) === upload) live.delete(upload.id);
          if (live.size > 0) return;
          timer?.[Symbol.dispose]();
          timer = undefined;
        },
      };
    },
    has: (id) => live.has(id),
  };
}

const interval: Ticker = (ms, tick) => {
  const timer = setInterval(tick, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
};
