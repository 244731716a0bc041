import type { Readable } from "node:stream";
import { DataStore, Server, Upload } from "@tus/server";
import { isWisError, WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { type BodyAside, setBodyAside } from "./tus-body.ts";
import { createFifoLocker } from "./tus-locker.ts";

/** Where resumable uploads are; each has its own address below. */
export const TUS_PATH = "/api/uploads";

export interface TusDeps {
  files: Pick<Files, "begin" | "progress" | "announce" | "append" | "cancel">;
  /** Aborts when the server must end; what has arrived stays. */
  closing: AbortSignal;
}

/** A request that a newer one for the same upload wants gone has so long to end by itself. Milliseconds. */
const DRAIN = 300;

/**
 * The tus 1.0.0 protocol over the file desk: its creation (also with a body, or without a length) and termination.
 * Throws whatever the file desk throws, and WisErrors for what the protocol forbids.
 */
export function createTus(deps: TusDeps): (request: Request) => Promise<Response> {
  const locker = createFifoLocker();

  return async (given) => {
    const body = setBodyAside(given);
    const failures: unknown[] = [];
    // One for each request: a store is not told whose bytes it is given.
    const server = new Server({
      path: TUS_PATH,
      datastore: createDataStore(deps, body),
      locker,
      lockDrainTimeout: DRAIN,
      relativeLocation: true,
      // The upload's real address comes from the file desk, when it has taken it.
      namingFunction: newCapability,
      // Only our own pages: another site is told nothing.
      allowedOrigins: () => false,
      async onUploadFinish(_, { id }) {
        const { file } = await deps.files.progress(id);
        return isWholeShare(file) ? { headers: { "Content-Location": file.url } } : {};
      },
      onResponseError(_, error) {
        failures.push(error);
        return undefined;
      },
    });
    const response = await server.handleWeb(body.request);
    if (failures.length > 0) throw fromTus(failures[0]);
    return response;
  };
}

/** A file of a bundle that still waits for others is nothing to share yet. */
export function isWholeShare(file: StoredFile | undefined): file is StoredFile {
  return file !== undefined && file.id === file.shareId;
}

/** The file desk as the library's store. */
function createDataStore({ files, closing }: TusDeps, { take }: BodyAside): DataStore {
  /** Whoever is no longer wanted ends where it is, and hears how far that was. */
  async function append(id: string, offset: number, body: ReadableStream<Uint8Array>, unwanted: AbortSignal) {
    try {
      return await files.append(id, offset, { body, signal: AbortSignal.any([closing, unwanted]) });
    } catch (error) {
      if (isWisError(error) && unwanted.aborted && error.cause === unwanted.reason)
        return await files.progress(id);
      throw isWisError(error, "upload.length_mismatch") ? tooLong(error) : error;
    }
  }

  return Object.assign(new DataStore(), {
    extensions: ["creation", "creation-with-upload", "creation-defer-length", "termination"],

    async create(upload: Upload): Promise<Upload> {
      const { ticket, filename, name, filetype, type, relativePath } = upload.metadata ?? {};
      const begun = await files.begin(ticket ?? "", {
        name: filename ?? name ?? "",
        path: relativePath || undefined,
        contentType: filetype ?? type ?? undefined,
        length: upload.size,
      });
      upload.id = begun.key;
      return upload;
    },

    async getUpload(id: string): Promise<Upload> {
      const { length, received } = await files.progress(id);
      // Without its metadata: that holds the ticket.
      return new Upload({ id, offset: received, ...(length !== undefined && { size: length }) });
    },

    async write(stream: Readable, id: string, offset: number): Promise<number> {
      const { received } = await take(stream, (body, unwanted) => append(id, offset, body, unwanted));
      return received;
    },

    declareUploadLength: (id: string, length: number) => files.announce(id, length),
    remove: (id: string) => files.cancel(id),
  });
}

/** The library throws plain objects: a status and a line of text. */
function fromTus(error: unknown): unknown {
  if (!isProtocolError(error)) return error;
  const { status_code: status, body } = error;
  const cause = new Error(`tus: ${status} ${body.trim()}`);
  switch (status) {
    case 404:
    case 410:
      return new WisError("upload.unknown", {
        say: "There is no such upload. It may have been cancelled, or waited too long to go on.",
        hint: "Send the file again from its start.",
        cause,
      });
    case 409:
      return new WisError("upload.offset", {
        say: "The upload goes on at another byte than this one.",
        hint: "Ask where it stands, and go on from there.",
        cause,
      });
    case 413:
      return tooLong(cause);
    default:
      return new WisError("bad_request", {
        say: `This is not how resumable uploads work: ${body.trim()}.`,
        hint: "Use a client of tus 1.0.0, or curl -T FILE LINK/.",
        cause,
      });
  }
}

function tooLong(cause: unknown): WisError {
  return new WisError("file.too_large", {
    say: "More bytes came than the upload was announced with.",
    hint: "Send the file again from its start.",
    cause,
  });
}

function isProtocolError(error: unknown): error is { status_code: number; body: string } {
  return typeof error === "object" && error !== null && "status_code" in error && "body" in error;
}
