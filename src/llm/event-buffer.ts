import type { AnswerEvent } from "./llm.ts";

export interface EventBufferOptions {
  /** Characters of text that wait for the reader before the writer has to. */
  maxText: number;
  /** Whoever waits for room is let go when it aborts. */
  signal: AbortSignal;
  /** The reader left before the end. */
  onLeave(): void;
}

/**
 * Between a model and whoever shows its answer, each at its own pace. Text that was not read yet is joined and only
 * the newest position is kept, so that a slow reader gets less events, never less text.
 */
export interface EventBuffer {
  /** In order: positions, loading, text, done. */
  put(event: AnswerEvent): void;
  /** Thrown at the reader once it has read everything before. */
  fail(error: Error): void;
  /** Undefined while there is room for more text; otherwise resolves when there is again. */
  room(): Promise<void> | undefined;
  /** For one reader, once. */
  readonly events: AsyncIterable<AnswerEvent>;
}

export function createEventBuffer({ maxText, signal, onLeave }: EventBufferOptions): EventBuffer {
  const pending: AnswerEvent[] = [];
  let failure: { error: Error } | undefined;
  let put = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => taken.resolve(), { once: true });

  async function* read(): AsyncGenerator<AnswerEvent> {
    let ended = false;
    try {
      while (!ended) {
        const event = pending.shift();
        if (event) {
          taken.resolve();
          ended = event.type === "done";
          yield event;
        } else if (failure) {
          ended = true;
          throw failure.error;
        } else {
          put = Promise.withResolvers();
          await put.promise;
        }
      }
    } finally {
      if (!ended) onLeave();
    }
  }

  return {
    put(event) {
      const last = pending.at(-1);
      if (event.type === "text" && last?.type === "text") last.text += event.text;
      else if (event.type === "waiting" && last?.type === "waiting") Object.assign(last, event);
      else pending.push({ ...event });
      put.resolve();
    },
    fail(error) {
      failure = { error };
      put.resolve();
    },
    room() {
      const last = pending.at(-1);
      if (last?.type !== "text" || last.text.length < maxText || signal.aborted) return undefined;
      taken = Promise.withResolvers();
      return taken.promise;
    },
    events: read(),
  };
}
