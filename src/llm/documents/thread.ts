import library from "pdfjs-dist/legacy/build/pdf.min.mjs" with { type: "file" };
import worker from "pdfjs-dist/legacy/build/pdf.worker.min.mjs" with { type: "file" };
import { createFairQueue } from "../../queue/fair-queue.ts";
import type { Contents } from "./contents.ts";
import type { Outcome, Work } from "./inside/messages.ts";
import { unreadable } from "./refusal.ts";
import { threadSource } from "./thread-source.ts" with { type: "macro" };

/** A file that has to be taken apart. */
export type Packed = Pick<Work, "kind" | "bytes"> & { name: string };

export interface ThreadOptions {
  /** Reading each ends beyond so many. */
  maxCharacters: number;
  signal: AbortSignal;
  /** What the thread runs; a test has one that never ends. */
  source?: string;
  bounds?: ThreadBounds;
}

export interface ThreadBounds {
  /** For all files together, once it is their turn. */
  ms: number;
  /** Bytes that the process may grow by meanwhile. */
  memory: number;
}

const SOURCE = threadSource();
const BOUNDS: ThreadBounds = { ms: 20_000, memory: 512 * 1024 ** 2 };
const LOOK_EVERY_MS = 50;

/** Threads at once in this process: each takes a core, and about 50 MB. */
const slots = createFairQueue({ hosts: [{ name: "thread", slots: 2 }], maxQueue: 100 });

/**
 * What PDFs and Word documents hold, read in a thread that lives for that only. Throws WisError attachment.unreadable
 * and llm.queue_full; rejects with the signal's reason when aborted.
 */
export async function readPacked<File extends Packed>(
  files: readonly File[],
  { maxCharacters, signal, source = SOURCE, bounds = BOUNDS }: ThreadOptions,
): Promise<Map<File, Contents>> {
  const read = new Map<File, Contents>();
  if (files.length === 0) return read;
  using _slot = await slots.acquire({ key: "", signal });
  using thread = startThread(source, bounds, signal);
  for (const file of files) {
    const { kind, bytes } = file;
    const outcome = await thread.ask({ kind, bytes, maxCharacters, pdfjs: { library, worker } });
    if ("refusal" in outcome) throw unreadable(file.name, outcome.refusal, new Error(outcome.cause));
    read.set(file, outcome.contents);
  }
  return read;
}

interface Thread extends Disposable {
  /** One at a time. Also answers when the thread ends or goes beyond a bound; rejects when aborted. */
  ask(work: Work): Promise<Outcome>;
}

function startThread(source: string, { ms, memory }: ThreadBounds, signal: AbortSignal): Thread {
  signal.throwIfAborted();
  using opening = new DisposableStack();
  const url = URL.createObjectURL(new Blob([source], { type: "application/javascript" }));
  opening.defer(() => URL.revokeObjectURL(url));
  const thread = new Worker(url, { smol: true });
  opening.defer(() => thread.terminate());

  const { promise: ended, resolve: end, reject } = Promise.withResolvers<Outcome>();
  thread.onerror = ({ message }) => end({ refusal: "broken", cause: message });
  thread.addEventListener("close", () =>
    end({ refusal: "broken", cause: "its thread ended without a word" }),
  );
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  opening.defer(() => signal.removeEventListener("abort", abort));
  const late = setTimeout(end, ms, { refusal: "slow", cause: `it took longer than ${ms} ms` });
  opening.defer(() => clearTimeout(late));

  // Bun has no bound for the memory of a thread: a small file may unpack to gigabytes.
  const most = process.memoryUsage.rss() + memory;
  const watch = setInterval(() => {
    if (process.memoryUsage.rss() > most)
      end({ refusal: "large", cause: `it took more than ${memory} bytes` });
  }, LOOK_EVERY_MS);
  opening.defer(() => clearInterval(watch));

  const open = opening.move();
  return {
    ask(work) {
      const { promise: answer, resolve } = Promise.withResolvers<Outcome>();
      thread.onmessage = ({ data }: MessageEvent<Outcome>) => resolve(data);
      thread.postMessage(work);
      return Promise.race([answer, ended]);
    },
    [Symbol.dispose]: () => open.dispose(),
  };
}
