/** Bytes sent so far and when, milliseconds. */
interface Sample {
  at: number;
  bytes: number;
}

// Long enough that the speed does not flicker, short enough that it follows a changed connection.
const WINDOW_MS = 5000;

export interface Pace {
  /** Bytes a second; undefined until there is something to tell. */
  speed: number | undefined;
  /** Undefined when no end can be promised. */
  secondsLeft: number | undefined;
}

/** Measures a transfer over its last seconds. */
export function createPace() {
  let samples: Sample[] = [];

  return {
    /** `total` in bytes. What was sent twice (a resumed file stands a little further back) is no pace: it starts over. */
    add(sample: Sample, total: number): Pace {
      if (sample.bytes < (samples.at(-1)?.bytes ?? 0)) samples = [];
      samples.push(sample);
      while (samples.length > 2 && sample.at - (samples[0]?.at ?? 0) > WINDOW_MS) samples.shift();
      const first = samples[0] ?? sample;
      const seconds = (sample.at - first.at) / 1000;
      const speed = seconds > 0.2 ? (sample.bytes - first.bytes) / seconds : undefined;
      return { speed, secondsLeft: speed ? (total - sample.bytes) / speed : undefined };
    },
    /** After a pause, or where bytes count that were sent before. */
    restart() {
      samples = [];
    },
  };
}

/** `75` → `1 min 15 s left`. */
export function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s left`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
