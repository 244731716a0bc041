import { create as contentDisposition } from "content-disposition";
import { sendBytes } from "../byte-ranges.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";

/** `GET, HEAD /f/:id/download`: the bytes, whole or one range of them. */
export function download({ files, metrics }: Pick<WebDeps, "files" | "metrics">): Handler<"/f/:id/download"> {
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    const headers = {
      "content-type": safeType(file.contentType),
      "content-disposition": contentDisposition(file.name),
      // Whatever a browser makes of the bytes, it can't run: no scripts, no forms, an origin of its own.
      "content-security-policy": "sandbox; default-src 'none'",
    };
    const { signal } = c.req.raw;
    return sendBytes(c, { files }, { file, headers, onSend });

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
