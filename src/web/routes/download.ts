import { create as contentDisposition } from "content-disposition";
import type { StoredFile } from "../../files/ports.ts";
import { sendBytes } from "../byte-ranges.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import type { RateGate } from "../rates.ts";
import { sourceOf, zipSource } from "../source.ts";
import { isPreviewer, letIn, visitorOf } from "../visitor.ts";

type DownloadDeps = Pick<WebDeps, "files" | "metrics" | "publicUrl"> & { gate: RateGate };

/** `GET, HEAD /f/:id/download`: the bytes, whole or one range of them; of a bundle, those of its ZIP. */
export function download(deps: DownloadDeps): Handler<"/f/:id/download"> {
  const { files, metrics } = deps;
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    await letIn(deps, c, file);
    // A preview of the link in a chat must not eat a download that somebody was meant to have.
    if (file.maxDownloads !== null && isPreviewer(c)) return c.redirect(`/f/${file.id}`);
    const { signal } = c.req.raw;
    const disposition = contentDisposition(file.name);
    const elsewhere = await presigned(file, disposition, c.req.method);
    if (elsewhere !== undefined) {
      await files.download(file, visitorOf(c));
      return c.body(null, 302, { location: elsewhere, "cache-control": "no-store" });
    }

    const source =
      file.members === undefined ? sourceOf(files, file) : await zipSource(files, file, signal);
    const headers = {
      "content-type": safeType(file.contentType),
      "content-disposition": disposition,
      // Whatever a browser makes of the bytes, it can't run: no scripts, no forms, an origin of its own.
      "content-security-policy": "sandbox; default-src 'none'",
    };
    return sendBytes(c, { source, headers, onSend });

    async function onSend(length: number) {
      await files.download(file, visitorOf(c));
      metrics.files.downloads.add(1, { outcome: "ok" });
      // Bun does not tell how much of a file it sent: what is promised is counted.
      metrics.files.downloadedBytes.add(length);
      signal.addEventListener("abort", () => metrics.files.downloads.add(1, { outcome: "cut" }), {
        once: true,
      });
    }
  };

  /** Who has a presigned address can pass it on: not where a password or a number of downloads says who may. */
  async function presigned(file: StoredFile, disposition: string, method: string): Promise<string | undefined> {
    const isOpen = file.maxDownloads === null && file.passwordHash === null && file.members === undefined;
    return isOpen && method === "GET" ? await files.presign(file, disposition) : undefined;
  }
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
