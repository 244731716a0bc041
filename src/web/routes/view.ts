import { create as contentDisposition } from "content-disposition";
import { WisError } from "../../errors.ts";
import type { Files } from "../../files/files.ts";
import type { StoredFile } from "../../files/ports.ts";
import { sendBytes } from "../byte-ranges.ts";
import type { Handler } from "../env.ts";
import { type MediaPreview, previewOf } from "../preview.ts";
import { sourceOf } from "../source.ts";
import { type DoorDeps, letIn, mustType } from "../visitor.ts";
import { isShownFreely } from "./share.ts";

type ViewDeps = DoorDeps & { files: Pick<Files, "get" | "open"> };

/**
 * `GET, HEAD /f/:id/view`: the bytes of a picture, sound, film or PDF for the share page's preview. Never counts as a
 * download, so there is none of what may be downloaded only so often. Everything else is `not_found` here.
 */
export function view(deps: ViewDeps): Handler<"/f/:id/view"> {
  return async (c) => {
    const file = await deps.files.get(c.req.param("id"));
    if (mustType(deps.files, c, file)) return c.redirect(`/f/${file.id}`, 303);
    await letIn(deps, c, file);
    const preview = previewOf(file);
    if (!("type" in preview) || !isShownFreely(file)) {
      throw new WisError("not_found", {
        say: "This file has no preview.",
        hint: "Download it instead.",
      });
    }
    return sendBytes(c, { source: sourceOf(deps.files, file), headers: viewHeaders(file, preview) });
  };
}
/** What is said about bytes that a browser may show. The type is one of previewOf's, whatever the sender wrote. */
function viewHeaders({ name }: Pick<StoredFile, "name">, { kind, type }: MediaPreview) {
  // Only pdf.js reads a PDF here: opened by itself it must not reach the browser's own reader, which runs its scripts.
  const shown =
    kind === "pdf"
      ? { "content-type": "application/octet-stream", "content-disposition": contentDisposition(name) }
      : { "content-type": type, "content-disposition": contentDisposition(name, { type: "inline" }) };
  return {
    ...shown,
    "x-content-type-options": "nosniff",
    // Opened by itself, a browser puts a picture or a film into a page of its own making, styled inline.
    "content-security-policy":
      "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
    // No other site may show it as its own, nor learn from it who is here.
    "cross-origin-resource-policy": "same-origin",
  };
}
