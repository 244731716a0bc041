import { WisError } from "../errors.ts";
import { formatDuration } from "../lib/duration.ts";

// What a person reads when wisbot itself ends an answer.

export const stopped = () => new WisError("llm.stopped", { say: "The answer was stopped." });

/** Its asker has deleted or changed the question. */
export const takenBack = () => new WisError("llm.stopped", { say: "The question was taken back." });

export const interrupted = () =>
  new WisError("llm.interrupted", {
    say: "WisBot is being restarted, which ended this answer.",
    hint: "Ask again in a minute.",
  });

export const shuttingDown = () =>
  new WisError("shutting_down", {
    say: "WisBot is shutting down and takes nothing new.",
    hint: "Try again in a minute.",
  });

/** `timeout` in milliseconds. */
export const timedOut = (timeout: number) =>
  new WisError("llm.timeout", {
    say: `The answer was not finished after ${formatDuration(timeout)}, so WisBot ended it.`,
    hint: "Ask for something shorter, or try again later.",
  });

export const tooLong = (tokens: number, context: number) =>
  new WisError("bad_request", {
    say: `Your question is too long: it takes at least ${tokens} tokens, and the model reads ${context} at once.`,
    hint: "Ask for less at once, or choose a model that reads more with /wis model.",
  });

export const empty = (model: string) =>
  new WisError("llm.bad_reply", {
    say: `The model "${model}" gave an empty answer.`,
    hint: "Ask again, perhaps in other words.",
  });
