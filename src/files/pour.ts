import { setImmediate as breathe } from "node:timers/promises";
import { isWisError, WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { BlobWriter } from "./blob-ports.ts";
import type { Digest } from "./digest.ts";
import type { Pace } from "./pace.ts";

/** What small chunks are gathered to: a million tiny ones become a few dozen writes, and 200 stalled uploads hold 13 MB. */
const BLOCK = 64 * 1024;
/** The most that is written at once. */
const MOST = 512 * 1024;
/** A chunk of at least this is written as it is: copying it would cost more than the write it saves. */
const LARGE = 64 * 1024;
/** Smaller chunks are left to the garbage collector. */
const FREED = 8 * 1024;
/** Chunks taken without a write before the event loop gets its turn: a body that is already here never waits by itself. */
const READS_PER_TURN = 256;

export interface Pour {
  body: ReadableStream<Uint8Array>;
  sink: Pick<Sink, "take">;
  /** Ends the pouring, even one that waits for the sender. */
  signal: AbortSignal;
  pace: Pick<Pace, "waiting" | "received">;
  now: Now;
  /** Throws when this many more bytes are too many. Called for every chunk, before it is kept. */
  bound(received: number): void;
  /** A body that would not be cancelled. */
  onLeftover(error: unknown): void;
}

/**
 * Pours a body into a sink, giving the event loop its turn between writes.
 * Throws WisError `upload.cut` when the body breaks, the signal's reason when it is aborted (as `upload.cut`, unless
 * it is a WisError itself), and what `bound` and the sink throw; the body is cancelled then.
 */
export async function pour(input: Pour): Promise<void> {
  const { body, sink, signal, pace, now, bound, onLeftover } = input;
  const reader = body.getReader();
  let brokenBy: unknown;
  void reader.closed.catch((error: unknown) => {
    brokenBy = error;
  });
  // A body that broke by itself, as it does when its sender leaves, refuses to be cancelled with the same error: no news.
  const cancel = (reason: unknown) =>
    void reader.cancel(reason).catch((error: unknown) => {
      if (error !== brokenBy) onLeftover(error);
    });
  // Cancelling ends a read that waits; racing each read against the signal would leak a reaction a chunk.
  const onAbort = () => cancel(signal.reason);
  signal.addEventListener("abort", onAbort);
  let received = 0;
  let reads = 0;
  try {
    while (true) {
      if (signal.aborted) throw asCut(signal.reason);
      pace.waiting(now());
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw asCut(signal.aborted ? signal.reason : cause);
      });
      pace.received(value?.length ?? 0, now());
      if (done) break;
      received += value.length;
      bound(received);
      await sink.take(value);
      reads += 1;
      if (reads % READS_PER_TURN === 0) await breathe();
    }
    if (signal.aborted) throw asCut(signal.reason);
  } catch (error) {
    cancel(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export interface SinkDeps {
  writer: Pick<BlobWriter, "write">;
  digest: Digest;
  /** Makes room for the next bytes; called before every write with the total that it leads to. */
  admit(total: number): Promise<void>;
  onProgress?: ((bytes: number) => void) | undefined;
}

/** Where a body goes, in bounded memory. */
export interface Sink {
  take(chunk: Uint8Array): Promise<void>;
  /** Writes what was gathered. */
  flush(): Promise<void>;
}

/** Gathers small chunks into blocks; hashes what it hands to the writer. */
export function createSink({ writer, digest, admit, onProgress }: SinkDeps): Sink {
  let block: Uint8Array | undefined;
  let filled = 0;

  async function write(bytes: Uint8Array) {
    await admit(digest.size + bytes.length);
    // Hashing runs here while the disk writes in its own thread.
    const written = writer.write(bytes);
    digest.update(bytes);
    await written;
    onProgress?.(digest.size);
    await breathe();
  }

  async function flush() {
    if (block === undefined || filled === 0) return;
    const bytes = block.subarray(0, filled);
    filled = 0;
    await write(bytes);
  }

  /** Copies what fits into the block and gives the rest. */
  function gather(chunk: Uint8Array): Uint8Array {
    block ??= new Uint8Array(BLOCK);
    const part = chunk.subarray(0, BLOCK - filled);
    block.set(part, filled);
    filled += part.length;
    return chunk.subarray(part.length);
  }

  return {
    async take(chunk: Uint8Array) {
      let rest = chunk;
      while (rest.length > 0) {
        if (filled === 0 && rest.length >= LARGE) {
          await write(rest.subarray(0, MOST));
          rest = rest.subarray(MOST);
          continue;
        }
        rest = gather(rest);
        if (filled === BLOCK) await flush();
      }
      free(chunk);
    },
    flush,
  };
}

/**
 * Gives a chunk's memory back at once: left to the garbage collector, 80 MB piled up behind an upload of 2 GiB, and 10
 * with this.
 */
function free({ buffer, byteLength }: Uint8Array) {
  const alone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (alone && byteLength >= FREED) buffer.transfer(0);
}

function asCut(cause: unknown): WisError {
  if (isWisError(cause)) return cause;
  return new WisError("upload.cut", {
    say: "The connection broke before the whole file had arrived.",
    hint: "Send it again: the same link works until it expires.",
    cause,
  });
}
