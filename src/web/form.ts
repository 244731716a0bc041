import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import Busboy from "@fastify/busboy";
import { isWisError, WisError } from "../errors.ts";
import { createFormBounds, type FormBounds, type FormRules, formRules } from "./form-bounds.ts";
import { bodyInFewChunks } from "./gather.ts";
import { bodyOf } from "./node-body.ts";

/** A file of a form, on its way. */
export interface FormFile {
  name: string;
  contentType: string;
  body: ReadableStream<Uint8Array>;
}

export type FormFields = ReadonlyMap<string, string>;

/** Far more than any form here has; what goes beyond is refused, not read. */
const LIMITS = { fields: 20, fieldSize: 16_384, fieldNameSize: 100, files: 2_000, headerPairs: 20 };

/**
 * Reads a form as browsers and ShareX send it, in bounded memory and time: `take` is given one file after the other,
 * with the fields that stood before it, and reads its body to the end. Gives all fields and how many files there were.
 * A field behind a file is refused: that file was taken without what it says, which may have been a password.
 * Throws WisError `bad_request`, `upload.cut`, `upload.slow`, the signal's reason (as `upload.cut`, unless it is a
 * WisError itself), and what `take` throws.
 */
export async function readForm(
  request: Request,
  take: (file: FormFile, fields: FormFields) => Promise<void>,
  { signal, rules = formRules }: { signal?: AbortSignal; rules?: FormRules } = {},
): Promise<{ fields: FormFields; files: number }> {
  const fields = new Map<string, string>();
  const parser = openParser(request);
  let files = 0;
  let turn = Promise.resolve();
  let current: Readable | undefined;
  const reader = bodyInFewChunks(request)?.getReader();
  using bounds = createFormBounds(rules, giveUp);

  /** A stream that is destroyed waits for the read that it has begun: only the body itself can end that one. */
  function giveUp(error: Error) {
    parser.destroy(error);
    reader?.cancel(error).catch(heardElsewhere);
  }
  const onAbort = () => giveUp(isWisError(signal?.reason) ? signal.reason : cut(signal?.reason));
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();

  parser.on("error", heardElsewhere);
  parser.on("field", (name, value) => {
    if (files > 0) giveUp(tooLate(name));
    fields.set(name, value);
  });
  for (const limit of ["fieldsLimit", "filesLimit", "partsLimit"] as const) {
    parser.on(limit, () => giveUp(tooMuch()));
  }
  parser.on("file", (_, stream, name, __, contentType) => {
    // An input that was left empty comes as a file without a name.
    if (!name) return void stream.resume();
    files += 1;
    current = stream.on("error", heardElsewhere);
    const before = new Map(fields);
    const taking = bounds.taking(stream);
    turn = turn.then(async () => {
      using _ = taking;
      await take({ name, contentType, body: bodyOf(stream) }, before);
    });
    turn.catch(giveUp);
  });

  try {
    await pipeline(Readable.from(chunksOf(reader, bounds)), parser);
    await turn;
    return { fields, files };
  } catch (error) {
    current?.destroy(error instanceof Error ? error : undefined);
    // Whoever was taking a file tidies up first; what it says of its end matters more than a broken stream.
    await turn;
    throw isWisError(error) ? error : cut(error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  bounds: FormBounds,
): AsyncGenerator<Uint8Array> {
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    yield read.value;
    // Asked for more: the parser knows by now what of it belongs to a file.
    bounds.read(read.value.length);
  }
}

/** By whoever reads the stream or waits for its end. Until somebody does, an error without a listener ends the process. */
function heardElsewhere(): void {}

function openParser(request: Request) {
  const contentType = request.headers.get("content-type") ?? "";
  try {
    return new Busboy({ headers: { "content-type": contentType }, fileHwm: 2 ** 18, limits: LIMITS });
  } catch (cause) {
    throw new WisError("bad_request", {
      say: "This is not a form with a file in it.",
      hint: "Send it as multipart/form-data, or use curl -T FILE LINK/.",
      cause,
    });
  }
}

function tooLate(name: string): WisError {
  return new WisError("bad_request", {
    say: `The field ${name.slice(0, 40)} stands behind a file, which would have been shared without it.`,
    hint: "Put the settings before the file.",
  });
}

function tooMuch(): WisError {
  return new WisError("bad_request", {
    say: "The form has more fields or files than are taken at once.",
    hint: "Send fewer of them, or pack them into one archive.",
  });
}

function cut(cause: unknown): WisError {
  return new WisError("upload.cut", {
    say: "The connection broke before the whole form had arrived.",
    hint: "Send it again.",
    cause,
  });
}
