import { create as contentDisposition } from "content-disposition";
import type { StoredFile } from "../../files/ports.ts";
import { headersOf, sendBytes } from "../byte-ranges.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { safeFields } from "../headers.ts";
import { sourceOf, zipSource } from "../source.ts";
import { type DoorDeps, isPreviewer, letIn, mustType, visitorOf } from "../visitor.ts";

type DownloadDeps = DoorDeps & Pick<WebDeps, "files" | "metrics">;

/** Files whose headers are kept: a kilobyte each. */
const KEPT = 1_024;

/** The kernel takes so many bytes at once: whether they arrived is not heard of. */
const IN_FLIGHT = 64 * 2 ** 10;

/** `GET, HEAD /f/:id/download`: the bytes, whole or one range of them; of a bundle, those of its ZIP. */
export function download(deps: DownloadDeps): Handler<"/f/:id/download"> {
  const { files, metrics } = deps;
  const safe = safeFields(deps);
  const headersFor = onceAFile((file) => headersOf(sourceOf(files, file), { ...safe, ...saidOf(file) }));
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    if (mustType(files, c, file)) return c.redirect(`/f/${file.id}`, 303);
    await letIn(deps, c, file);
    // A preview of the link in a chat must not eat a download that somebody was meant to have.
    if (file.maxDownloads !== null && isPreviewer(c)) return c.redirect(`/f/${file.id}`);
    const elsewhere = files.presigns && c.req.method === "GET" ? await presigned(file) : undefined;
    if (elsewhere !== undefined) {
      await files.download(file, visitorOf(c));
      // How many of its bytes the store sends is not heard of here.
      metrics.files.downloads.add(1, { outcome: "ok" });
      return c.body(null, 302, { location: elsewhere, "cache-control": "no-store" });
    }

    if (file.members === undefined) {
      return sendBytes(c, { source: sourceOf(files, file), headers: headersFor(file), onSend });
    }
    return sendBytes(c, {
      source: await zipSource(files, file, c.req.raw.signal),
      headers: saidOf(file),
      onSend,
    });

    async function onSend(length: number) {
      await files.download(file, visitorOf(c));
      metrics.files.downloads.add(1, { outcome: "ok" });
      // Bun does not tell how much of a file it sent: what is promised is counted.
      metrics.files.downloadedBytes.add(length);
      if (length <= IN_FLIGHT) return;
      c.req.raw.signal.addEventListener("abort", () => metrics.files.downloads.add(1, { outcome: "cut" }), {
        once: true,
      });
    }
  };

  /** Who has a presigned address can pass it on: not where a password or a number of downloads says who may. */
  async function presigned(file: StoredFile): Promise<string | undefined> {
    const isOpen = file.maxDownloads === null && file.passwordHash === null && file.members === undefined;
    if (!isOpen) return undefined;
    return await files.presign(
      { ...file, contentType: safeType(file.contentType) },
      contentDisposition(file.name),
    );
  }
}

function saidOf({ contentType, name }: StoredFile) {
  return {
    "content-type": safeType(contentType),
    "content-disposition": contentDisposition(name),
    // Whatever a browser makes of the bytes, it can't run: no scripts, no forms, an origin of its own.
    "content-security-policy": "sandbox; default-src 'none'",
  };
}

/**
 * Makes each file's headers once for as long as it is asked for: to write the twenty of them takes longer than
 * anything else that is done for a small one.
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
