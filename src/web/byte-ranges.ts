import fresh from "fresh";
import type { Context } from "hono";
import parseRange from "range-parser";
import { WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import type { WebEnv } from "./env.ts";

type Range = { start: number; end: number };

export interface BytesAnswer {
  file: StoredFile;
  /** What this route says about the bytes: type, disposition, policy. */
  headers: Record<"content-type" | "content-disposition", string> & Record<string, string>;
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
  const said = {
    ...headers,
    ...versionOf(file),
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
  };
  if (fresh(c.req.header(), { etag: said.etag, "last-modified": said["last-modified"] })) {
    const { "content-type": _type, "content-disposition": _name, ...kept } = said;
    return c.body(null, 304, kept);
  }

  const asked = c.req.method === "GET" ? c.req.header("range") : undefined;
  const range = rangeOf(asked, c.req.header("if-range"), file);
  if (range === "unsatisfiable") {
    c.header("Content-Range", `bytes */${file.size}`);
    throw new WisError("range.unsatisfiable", {
      say: `The file has ${file.size} bytes; the part that was asked for lies outside of it.`,
      hint: "Ask for the whole file.",
    });
  }
  const length = range ? range.end - range.start + 1 : file.size;
  const sent = { ...said, "content-length": String(length) };
  if (c.req.method === "HEAD") return c.body(null, 200, sent);

  // A Blob of a file goes to Bun as it is: any stream in between would cost sendfile.
  const blob = await files.open(file, range);
  onSend?.(length);
  if (!range) return new Response(blob, { headers: sent });
  const contentRange = `bytes ${range.start}-${range.end}/${file.size}`;
  return new Response(blob, { status: 206, headers: { ...sent, "content-range": contentRange } });
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
