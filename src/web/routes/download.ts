import { create as contentDisposition } from "content-disposition";
import fresh from "fresh";
import parseRange from "range-parser";
import { WisError } from "../../errors.ts";
import type { StoredFile } from "../../files/ports.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";

type Range = { start: number; end: number };

/** `GET, HEAD /f/:id/download`: the bytes, whole or one range of them. */
export function download({ files, metrics }: Pick<WebDeps, "files" | "metrics">): Handler<"/f/:id/download"> {
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    const headers = headersOf(file);
    if (fresh(c.req.header(), { etag: headers.etag, "last-modified": headers["last-modified"] })) {
      const { "content-type": _type, "content-disposition": _name, ...kept } = headers;
      return c.body(null, 304, kept);
    }

    const range =
      c.req.method === "GET" ? rangeOf(c.req.header("range"), c.req.header("if-range"), file) : undefined;
    if (range === "unsatisfiable") {
      c.header("Content-Range", `bytes */${file.size}`);
      throw new WisError("range.unsatisfiable", {
        say: `The file has ${file.size} bytes; the part that was asked for lies outside of it.`,
        hint: "Ask for the whole file.",
      });
    }
    const length = range ? range.end - range.start + 1 : file.size;
    const sent = { ...headers, "content-length": String(length) };
    if (c.req.method === "HEAD") return c.body(null, 200, sent);

    // A Blob of a file goes to Bun as it is: any stream in between would cost sendfile.
    const blob = await files.open(file, range);
    metrics.files.downloads.add(1, { outcome: "ok" });
    // Bun does not tell how much of a file it sent: what is promised is counted.
    metrics.files.downloadedBytes.add(length);
    c.req.raw.signal.addEventListener("abort", () => metrics.files.downloads.add(1, { outcome: "cut" }), {
      once: true,
    });
    if (!range) return new Response(blob, { headers: sent });
    const contentRange = `bytes ${range.start}-${range.end}/${file.size}`;
    return new Response(blob, { status: 206, headers: { ...sent, "content-range": contentRange } });
  };
}

function headersOf(file: StoredFile) {
  return {
    "content-type": safeType(file.contentType),
    "content-disposition": contentDisposition(file.name),
    etag: `"${file.sha256}"`,
    "last-modified": new Date(file.readyAt).toUTCString(),
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    // Whatever a browser makes of the bytes, it can't run: no scripts, no forms, an origin of its own.
    "content-security-policy": "sandbox; default-src 'none'",
  };
}

/**
 * The stored type where nothing can be hidden in it; for all else, whatever might run among it (HTML, SVG, XML,
 * PDF), bytes without a meaning.
 */
export function safeType(contentType: string): string {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const passive =
    /^(?:audio|video)\/[\w.+-]+$/.test(type) ||
    /^image\/(?:png|jpeg|gif|webp|avif|bmp|heic)$/.test(type) ||
    /^application\/(?:zip|gzip|x-7z-compressed|x-tar|zstd|vnd\.rar)$/.test(type);
  return passive ? type : "application/octet-stream";
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
  const unchanged =
    ifRange === undefined ||
    ifRange === `"${file.sha256}"` ||
    ifRange === new Date(file.readyAt).toUTCString();
  if (!unchanged) return undefined;
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
