import type { Readable } from "node:stream";
import { DataStore, Server, Upload } from "@tus/server";
import { WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { bodyInFewChunks } from "./gather.ts";
import { bodyOf } from "./node-body.ts";
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
  const failures = new WeakMap<Request, unknown>();
  const server = new Server({
    path: TUS_PATH,
    datastore: createDataStore(deps),
    locker: createFifoLocker(),
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
    onResponseError(request, error) {
      failures.set(request, error);
      return undefined;
    },
  });

  return async (given) => {
    const body = bodyInFewChunks(given);
    const request = body === given.body ? given : new Request(given, { body });
    const response = await server.handleWeb(request);
    if (failures.has(request)) throw fromTus(failures.get(request));
    return response;
  };
}

/** A file of a bundle that still waits for others is nothing to share yet. */
export function isWholeShare(file: StoredFile | undefined): file is StoredFile {
  return file !== undefined && file.id === file.shareId;
}

/** The file desk as the library's store. */
function createDataStore({ files, closing }: TusDeps): DataStore {
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
      const { received } = await files.append(id, offset, { body: bodyOf(stream), signal: closing });
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
      return new WisError("file.too_large", {
        say: "More bytes came than the upload was announced with.",
        hint: "Send the file again from its start.",
        cause,
      });
    default:
      return new WisError("bad_request", {
        say: `This is not how resumable uploads work: ${body.trim()}.`,
        hint: "Use a client of tus 1.0.0, or curl -T FILE LINK/.",
        cause,
      });
  }
}

function isProtocolError(error: unknown): error is { status_code: number; body: string } {
  return typeof error === "object" && error !== null && "status_code" in error && "body" in error;
}
