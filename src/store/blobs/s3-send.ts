import { type FileHandle, open } from "node:fs/promises";
import type { NetworkSink, S3File } from "bun";

/** Two of these and one read are what a blob on its way holds in memory. */
const PART = 8 * 2 ** 20;
const PARTS_AT_ONCE = 2;
const READ = 2 ** 20;
/** A blob has at most so many parts in S3. */
const MOST_PARTS = 10_000;
/** Of a part, before the blob is given up. */
const RETRIES = 3;

interface Sending {
  object: S3File;
  /** Of the file, in bytes. */
  size: number;
  partSize?: number | undefined;
}

/**
 * Sends a file, in parts when it is larger than one. The object is there when it resolves, and not before: when it
 * rejects there is none, though parts of it may be left for the bucket's lifecycle rule.
 */
export async function sendFile(place: string, { object, size, partSize = PART }: Sending): Promise<void> {
  const file = await open(place);
  try {
    // Written as a Blob it would hold 100 MB more, whatever its parts (Bun 1.4.5).
    const sink = object.writer({
      type: "application/octet-stream",
      partSize: Math.max(partSize, Math.ceil(size / MOST_PARTS)),
      queueSize: PARTS_AT_ONCE,
      retry: RETRIES,
    });
    const sent = await pour(file, sink);
    // Any `end`, even one with an error, makes an object of what the sink was given. Left alone it makes none.
    if (sent !== size) throw new Error(`${sent} of ${size} bytes could be read`);
    await sink.end();
  } finally {
    await file.close();
  }
}

async function pour(file: FileHandle, sink: NetworkSink): Promise<number> {
  const buffer = new Uint8Array(READ);
  let sent = 0;
  while (true) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, sent);
    if (bytesRead === 0) return sent;
    await sink.write(buffer.subarray(0, bytesRead));
    // Waits while as many parts as may be are on their way.
    await sink.flush();
    sent += bytesRead;
  }
}
