import fresh from "fresh";
import type { Context } from "hono";
import parseRange from "range-parser";
import { WisError } from "../errors.ts";
import type { WebEnv } from "./env.ts";

export type Range = { start: number; end: number };

/** Bytes that can be asked for in parts. */
export interface Source {
  /** In all. */
  size: number;
  /** Names exactly these bytes: a strong ETag, without its quotes. */
  etag: string;
  /** When they came to be, milliseconds since the epoch. */
  modifiedAt: number;
  /** The bytes `start` to `end` inclusive, or all of them. */
  open(range: Range | undefined): Promise<Blob | ReadableStream<Uint8Array>>;
}

/** What a route says about its bytes, by names in lower case: type, disposition, policy. */
type Said = Record<"content-type" | "content-disposition", string> & Record<string, string>;

export interface BytesAnswer {
  source: Source;
  /** What this route says about the bytes, or `headersOf` that. */
  headers: Said | Headers;
  /** Called when a body of this many bytes is about to go: not for HEAD, 304 or an error. What it throws keeps it from going. */
  onSend?(length: number): Promise<void>;
}

/**
 * Answers with bytes, whole or one range of them: Range, If-Range, If-Match, ETag, Last-Modified, 304, exact length.
 * Throws WisError range.unsatisfiable, precondition.failed, and what `open` and `onSend` throw.
 */
export async function sendBytes(c: Context<WebEnv>, answer: BytesAnswer): Promise<Response> {
  const { source, headers, onSend } = answer;
  const { size, open } = source;
  const whole = headers instanceof Headers ? headers : headersOf(source, headers);
  if (isOther(c, source)) throw otherVersion();
  if (isFresh(c, source)) return new Response(null, { status: 304, headers: withoutBody(whole) });

  const asked = c.req.method === "GET" ? c.req.header("range") : undefined;
  const range = asked === undefined ? undefined : rangeOf(asked, c.req.header("if-range"), source);
  if (range === "unsatisfiable") {
    c.header("Content-Range", `bytes */${size}`);
    throw new WisError("range.unsatisfiable", {
      say: `The file has ${size} bytes; the part that was asked for lies outside of it.`,
      hint: "Ask for the whole file.",
    });
  }
  if (c.req.method === "HEAD") return new Response(null, { headers: whole });

  await onSend?.(range ? lengthOf(range) : size);
  const body = bodyOf(await open(range));
  if (!range) return new Response(body, { headers: whole });
  return new Response(body, { status: 206, headers: forRange(whole, range, size) });
}

/** All that is said when the bytes are sent whole. */
export function headersOf(source: Omit<Source, "open">, said: Said): Headers {
  return new Headers({
    ...said,
    ...versionOf(source),
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-length": String(source.size),
  });
}

function withoutBody(whole: Headers): Headers {
  const headers = new Headers(whole);
  for (const name of ["content-type", "content-disposition", "content-length"]) headers.delete(name);
  return headers;
}

function forRange(whole: Headers, range: Range, size: number): Headers {
  const headers = new Headers(whole);
  headers.set("content-length", String(lengthOf(range)));
  headers.set("content-range", `bytes ${range.start}-${range.end}/${size}`);
  return headers;
}

const lengthOf = ({ start, end }: Range) => end - start + 1;

/** Whether the client wants another version than there is (RFC 9110, 13.1.1, 13.1.4), which `fresh` does not look at. */
function isOther(c: Context<WebEnv>, source: Source): boolean {
  const match = c.req.header("if-match");
  if (match !== undefined) {
    const tags = match.split(",").map((tag) => tag.trim());
    return !tags.includes("*") && !tags.includes(versionOf(source).etag);
  }
  const unmodifiedSince = c.req.header("if-unmodified-since");
  if (unmodifiedSince === undefined) return false;
  // NaN, for what is no date, is less than nothing.
  const since = Date.parse(unmodifiedSince);
  return Math.floor(source.modifiedAt / 1_000) * 1_000 > since;
}

function otherVersion(): WisError {
  return new WisError("precondition.failed", {
    say: "The file is another one than you began with.",
    hint: "Load it again from its start.",
  });
}

function isFresh(c: Context<WebEnv>, source: Source): boolean {
  const [tag, since] = [c.req.header("if-none-match"), c.req.header("if-modified-since")];
  if (tag === undefined && since === undefined) return false;
  const asked = {
    "if-none-match": tag,
    "if-modified-since": since,
    "cache-control": c.req.header("cache-control"),
  };
  return fresh(asked, versionOf(source));
}

/**
 * A Blob of a file goes to Bun as it is: any stream in between would cost sendfile. One in S3 would be answered with a
 * redirect, headers and all [measured, Bun 1.4.5], so it is read here.
 */
function bodyOf(bytes: Blob | ReadableStream<Uint8Array>): Blob | ReadableStream<Uint8Array> {
  return "presign" in bytes && bytes instanceof Blob ? bytes.stream() : bytes;
}

function versionOf({ etag, modifiedAt }: Pick<Source, "etag" | "modifiedAt">) {
  return { etag: `"${etag}"`, "last-modified": new Date(modifiedAt).toUTCString() };
}

/**
 * What of the bytes is asked for. Undefined: all of them, which is also the answer to several ranges and to anything
 * malformed (RFC 9110, 14.2), and to an If-Range that names another version.
 */
export function rangeOf(
  header: string | undefined,
  ifRange: string | undefined,
  source: Pick<Source, "size" | "etag" | "modifiedAt">,
): Range | "unsatisfiable" | undefined {
  if (!header?.startsWith("bytes=")) return undefined;
  if (ifRange !== undefined && !Object.values(versionOf(source)).includes(ifRange)) return undefined;
  const ranges = parseRange(source.size, header);
  if (ranges === -1) return longSuffix(header, source.size) ?? "unsatisfiable";
  if (ranges === -2 || ranges.length !== 1) return undefined;
  return ranges[0];
}

/** The last n bytes of a file that has fewer are all of them (RFC 9110, 14.1.2); range-parser calls that unsatisfiable. */
function longSuffix(header: string, size: number): Range | undefined {
  const suffix = /^bytes=\s*-(\d+)\s*$/.exec(header)?.[1];
  return suffix !== undefined && Number(suffix) > 0 && size > 0 ? { start: 0, end: size - 1 } : undefined;
}
