/** Work that repeats. Its handler lies beside its noun. */
export interface Job {
  /** Also the span's name: `job clean-up`. */
  name: string;
  /** Milliseconds between the end of one run and the start of the next. */
  every: number;
  run(signal: AbortSignal): Promise<void>;
}
