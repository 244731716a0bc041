/** How long people are likely to wait. */
export interface Pace {
  /** An answer had its slot for so long. */
  took(milliseconds: number): void;
  /** Seconds until whoever stands there has a slot, about; undefined while no answer has told. */
  secondsUntil(position: number): number | undefined;
}

/** How much of what was known the newest answer leaves. */
const KEPT = 0.8;

/** `slots`: of all hosts together, as they are now. */
export function createPace({ slots }: { slots: () => number }): Pace {
  let average: number | undefined;
  return {
    took(milliseconds) {
      average = average === undefined ? milliseconds : average * KEPT + milliseconds * (1 - KEPT);
    },
    secondsUntil(position) {
      if (average === undefined) return undefined;
      return Math.ceil((position * average) / Math.max(1, slots()) / 1000);
    },
  };
}
