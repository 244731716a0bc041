import { type ErrorCode, isWisError } from "../errors.ts";
import { sleep } from "../lib/sleep.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Job } from "./ports.ts";

/** Not in the first second, which belongs to getting ready; soon enough for what piled up while nothing ran. */
const FIRST_RUN_AFTER = 60_000;

export interface JobsDeps {
  telemetry: Pick<Telemetry, "span" | "record">;
  metrics: Metrics["jobs"];
  /** Ends the waits at once, and the running jobs as soon as they can. */
  signal: AbortSignal;
  /** Waits; false as soon as the signal ends the wait. Tests turn the clock by hand. */
  wait?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

/**
 * Runs each job again and again, never two runs of it at once: first after `every` or a minute, whichever is sooner,
 * then `every` milliseconds after the last run ended. A run that fails is recorded; the next one comes all the same.
 * Resolves when the signal is aborted and the runs in progress have ended; never rejects.
 */
export async function runJobs(jobs: Job[], deps: JobsDeps): Promise<void> {
  await Promise.all(jobs.map((job) => repeat(job, deps)));
}

async function repeat(job: Job, deps: JobsDeps): Promise<void> {
  const { signal, wait = sleep } = deps;
  let going = await wait(Math.min(job.every, FIRST_RUN_AFTER), signal);
  while (going) {
    await runOnce(job, deps);
    going = await wait(job.every, signal);
  }
}

async function runOnce(job: Job, { telemetry, metrics, signal }: JobsDeps): Promise<void> {
  const started = performance.now();
  let outcome: "ok" | ErrorCode = "ok";
  const options = { root: true, attributes: { [attribute.job]: job.name } };
  await telemetry
    .span(`job ${job.name}`, options, async () => {
      try {
        await job.run(signal);
      } catch (error) {
        if (signal.aborted) return;
        outcome = isWisError(error) ? error.code : "internal";
        telemetry.record(error, `running the job ${job.name}`);
        throw error;
      }
    })
    // Recorded above, inside its own trace; thrown on only to mark the span as failed.
    .catch((error: unknown) => telemetry.record(error, `running the job ${job.name}`));
  metrics.duration.record((performance.now() - started) / 1000, { job: job.name, outcome });
}
