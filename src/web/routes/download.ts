import { create as contentDisposition } from "content-disposition";
import type { StoredFile } from "../../files/ports.ts";
import { headersOf, sendBytes } from "../byte-ranges.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { safeFields } from "../headers.ts";

/** Files whose headers are kept: a kilobyte each. */
const KEPT = 1_024;

/** `GET, HEAD /f/:id/download`: the bytes, whole or one range of them. */
export function download({
  files,
  metrics,
  publicUrl,
}: Pick<WebDeps, "files" | "metrics" | "publicUrl">): Handler<"/f/:id/download"> {
  const headersFor = onceAFile(createHeaders({ publicUrl }));
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    const { signal } = c.req.raw;
    return sendBytes(c, { files }, { file, headers: headersFor(file), onSend });

    function onSend(length: number) {
      metrics.files.downloads.add(1, { outcome: "ok" });
      // Bun does not tell how much of a file it sent: what is promised is counted.
      metrics.files.downloadedBytes.add(length);
      signal.addEventListener("abort", () => metrics.files.downloads.add(1, { outcome: "cut" }), {
        once: true,
      });
    }
  };
}

function createHeaders(deps: Pick<WebDeps, "publicUrl">) {
  const safe = safeFields(deps);
  return (file: StoredFile) =>
    headersOf(file, {
      ...safe,
      "content-type": safeType(file.contentType),
      "content-disposition": contentDisposition(file.name),
      // Whatever a browser makes of the bytes, it can't run: no scripts, no forms, an origin of its own.
      "content-security-policy": "sandbox; default-src 'none'",
    });
}

/**
 * Makes each file's headers once for as long as it is asked for: twenty of them take longer to write than a small
 * file to send.
 */
function onceAFile(make: (file: StoredFile) => Headers): (file: StoredFile) => Headers {
  const made = new Map<string, { file: StoredFile; headers: Headers }>();
  return (file) => {
    const before = made.get(file.id);
    if (before && saysTheSame(before.file, file)) return before.headers;
    const headers = make(file);
    made.set(file.id, { file, headers });
    for (const oldest of made.keys()) {
      if (made.size <= KEPT) break;
      made.delete(oldest);
    }
    return headers;
  };
}

/** Whether two rows of a file are the same in all that headers tell. */
function saysTheSame(a: StoredFile, b: StoredFile): boolean {
  return (
    a.sha256 === b.sha256 && a.name === b.name && a.contentType === b.contentType && a.readyAt === b.readyAt
  );
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
