import type { Readable } from "node:stream";

/** A request's body, kept from the library. */
export interface BodyAside {
  /** The request for the library. Its body is as long as the real one is wanted, and has no bytes. */
  request: Request;
  /**
   * Has the real body taken, and gives what that gives. `stream` is what the library makes of the other one.
   * `unwanted` aborts when the library ends it: a newer request wants the upload.
   */
  take<T>(
    stream: Readable,
    run: (body: ReadableStream<Uint8Array>, unwanted: AbortSignal) => Promise<T>,
  ): Promise<T>;
}

/**
 * The library reads bodies through four of Node's streams. That takes as long as to hash the bytes, and each of the
 * four holds up to a megabyte of every upload that comes faster than the disk takes it [measured, @tus/server 2.4.5 on
 * Bun 1.4.5]. So the file desk reads the real body, as it reads that of a PUT.
 */
export function setBodyAside(request: Request): BodyAside {
  const { body } = request;
  const over = Promise.withResolvers<void>();
  const silent = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await over.promise;
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    request: body === null ? request : new Request(request, { body: silent }),
    async take(stream, run) {
      const unwanted = new AbortController();
      if (body !== null) stream.once("end", () => unwanted.abort());
      stream.resume();
      try {
        return await run(body ?? new Blob([]).stream(), unwanted.signal);
      } finally {
        over.resolve();
      }
    },
  };
}
