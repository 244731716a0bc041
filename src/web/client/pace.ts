/** Bytes sent so far and when, milliseconds. */
interface Sample {
  at: number;
  bytes: number;
}

// Long enough that the speed does not flicker, short enough that it follows a changed connection.
const WINDOW_MS = 5000;

/** Measures a transfer over its last seconds. `total` in bytes. */
export function createPace(total: number) {
  const samples: Sample[] = [];

  return {
    /** Gives bytes a second and the seconds left; both undefined until there is something to tell. */
    add(sample: Sample): { speed: number | undefined; secondsLeft: number | undefined } {
      samples.push(sample);
      while (samples.length > 2 && sample.at - (samples[0]?.at ?? 0) > WINDOW_MS) samples.shift();
      const first = samples[0] ?? sample;
      const seconds = (sample.at - first.at) / 1000;
      const speed = seconds > 0.2 ? (sample.bytes - first.bytes) / seconds : undefined;
      return { speed, secondsLeft: speed ? (total - sample.bytes) / speed : undefined };
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
