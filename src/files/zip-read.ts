import { WisError } from "../errors.ts";
import { abbreviate } from "../lib/capability.ts";
import type { BlobStore } from "./blob-ports.ts";
import type { Piece, ZipLayout } from "./zip.ts";

/** What is read at once, and all that a slow reader keeps in memory. Measured: docs/decisions/0019-zip.md. */
const CHUNK = 1024 * 1024;

interface Range {
  start: number;
  /** Inclusive. */
  end: number;
}

/**
 * The bytes `start` to `end` inclusive of a ZIP, read as they are asked for, a mebibyte at a time. Nothing is held
 * open in between, so a cancelled or aborted stream leaves nothing behind. The stream fails with WisError
 * `file.corrupt` when a blob is missing or short, with what `open` throws, and with the signal's reason. All but the
 * last also goes to `onFailure`: once a body is being sent, nobody else hears of it.
 */
export function readZip(
  layout: Pick<ZipLayout, "pieces">,
  range: Range,
  open: BlobStore["open"],
  signal: AbortSignal,
  onFailure?: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const chunks = chunksOf(layout.pieces, range, open);
  // A byte stream: of other streams' chunks twice as many lie about before the garbage collector comes.
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      signal.throwIfAborted();
      const { value } = await chunks.next().catch((error: unknown) => {
        onFailure?.(error);
        throw error;
      });
      signal.throwIfAborted();
      if (value) return controller.enqueue(value);
      controller.close();
      // Only then is a reader that brought its own buffer told.
      controller.byobRequest?.respond(0);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

async function* chunksOf(
  pieces: Piece[],
  range: Range,
  open: BlobStore["open"],
): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  for (const piece of pieces) {
    const start = Math.max(range.start - piece.start, 0);
    const end = Math.min(range.end - piece.start, piece.size - 1);
    if (start > end) continue;
    // A copy: a byte stream takes the memory of what it is given away.
    if ("bytes" in piece) yield new Uint8Array(piece.bytes.subarray(start, end + 1));
    else yield* blobChunks(piece.key, { start, end }, open);
  }
}

async function* blobChunks(key: string, { start, end }: Range, open: BlobStore["open"]) {
  const size = end - start + 1;
  const blob = await open(key, { start, end });
  if (blob?.size !== size) throw damaged(key, `it has ${blob?.size ?? "no"} bytes instead of ${size}`);
  for (let at = 0; at < size; at += CHUNK) {
    const wanted = Math.min(CHUNK, size - at);
    const bytes = await blob
      .slice(at, at + wanted)
      .bytes()
      .catch((cause: unknown) => {
        throw damaged(key, cause);
      });
    if (bytes.length !== wanted) throw damaged(key, `it ended ${wanted - bytes.length} bytes early`);
    yield bytes;
  }
}

function damaged(key: string, cause: unknown): WisError {
  return new WisError("file.corrupt", {
    say: "A file of this ZIP is damaged or gone, so it can't be downloaded whole.",
    hint: "Download the other files one by one, and tell the admin.",
    cause: new Error(`reading blob ${abbreviate(key)} for a ZIP`, { cause }),
  });
}
