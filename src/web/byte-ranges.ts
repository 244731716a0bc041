import fresh from "fresh";
import type { Context } from "hono";
import parseRange from "range-parser";
import { WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import type { WebEnv } from "./env.ts";

type Range = { start: number; end: number };

/** What a route says about a file's bytes, by names in lower case: type, disposition, policy. */
type Said = Record<"content-type" | "content-disposition", string> & Record<string, string>;

export interface BytesAnswer {
  file: StoredFile;
  /** What this route says about the bytes, or `headersOf` that. Stays as it is. */
  headers: Said | Headers;
  /** Called once a body of this many bytes is on its way: not for HEAD, 304 or an error. */
  onSend?(length: number): void;
}

/**
 * Answers with a file's bytes, whole or one range of them: Range, If-Range, ETag, Last-Modified, 304, exact length.
 * Throws WisError range.unsatisfiable, file.unknown, file.corrupt.
 */
export async function sendBytes(
  c: Context<WebEnv>,
  { files }: { files: Pick<Files, "open"> },
  { file, headers, onSend }: BytesAnswer,
): Promise<Response> {
  const whole = headers instanceof Headers ? headers : headersOf(file, headers);
  if (isFresh(c, file)) return new Response(null, { status: 304, headers: withoutBody(whole) });

  const asked = c.req.method === "GET" ? c.req.header("range") : undefined;
  const range = rangeOf(asked, c.req.header("if-range"), file);
  if (range === "unsatisfiable") {
    c.header("Content-Range", `bytes */${file.size}`);
    throw new WisError("range.unsatisfiable", {
      say: `The file has ${file.size} bytes; the part that was asked for lies outside of it.`,
      hint: "Ask for the whole file.",
    });
  }
  if (c.req.method === "HEAD") return new Response(null, { headers: whole });

  // A Blob of a file goes to Bun as it is: any stream in between would cost sendfile.
  const blob = await files.open(file, range);
  onSend?.(range ? lengthOf(range) : file.size);
  if (!range) return new Response(blob, { headers: whole });
  return new Response(blob, { status: 206, headers: forRange(whole, range, file) });
}

/** All that is said when the whole file is sent. */
export function headersOf(file: StoredFile, said: Said): Headers {
  return new Headers({
    ...said,
    ...versionOf(file),
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-length": String(file.size),
  });
}

function withoutBody(whole: Headers): Headers {
  const headers = new Headers(whole);
  for (const name of ["content-type", "content-disposition", "content-length"]) headers.delete(name);
  return headers;
}

function forRange(whole: Headers, range: Range, { size }: StoredFile): Headers {
  const headers = new Headers(whole);
  headers.set("content-length", String(lengthOf(range)));
  headers.set("content-range", `bytes ${range.start}-${range.end}/${size}`);
  return headers;
}

const lengthOf = ({ start, end }: Range) => end - start + 1;

function isFresh(c: Context<WebEnv>, file: StoredFile): boolean {
  const asked = {
    "if-none-match": c.req.header("if-none-match"),
    "if-modified-since": c.req.header("if-modified-since"),
    "cache-control": c.req.header("cache-control"),
  };
  return fresh(asked, versionOf(file));
}

function versionOf({ sha256, readyAt }: Pick<StoredFile, "sha256" | "readyAt">) {
  return { etag: `"${sha256}"`, "last-modified": new Date(readyAt).toUTCString() };
}

/**
 * What of the file is asked for. Undefined: all of it, which is also the answer to several ranges and to anything
 * malformed (RFC 9110, 14.2), and to an If-Range that names another version.
 */
export function rangeOf(
  header: string | undefined,
  ifRange: string | undefined,
  file: Pick<StoredFile, "size" | "sha256" | "readyAt">,
): Range | "unsatisfiable" | undefined {
  if (!header?.startsWith("bytes=")) return undefined;
  if (ifRange !== undefined && !Object.values(versionOf(file)).includes(ifRange)) return undefined;
  const ranges = parseRange(file.size, header);
  if (ranges === -1) return longSuffix(header, file.size) ?? "unsatisfiable";
  if (ranges === -2 || ranges.length !== 1) return undefined;
  return ranges[0];
}

/** The last n bytes of a file that has fewer are all of them (RFC 9110, 14.1.2); range-parser calls that unsatisfiable. */
function longSuffix(header: string, size: number): Range | undefined {
  const suffix = /^bytes=\s*-(\d+)\s*$/.exec(header)?.[1];
  return suffix !== undefined && Number(suffix) > 0 && size > 0 ? { start: 0, end: size - 1 } : undefined;
}
