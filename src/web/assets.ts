import { createHash } from "node:crypto";
import adminStyle from "../../templates/admin.css" with { type: "text" };
import icon from "../../templates/favicon.svg" with { type: "text" };
import previewStyle from "../../templates/preview.css" with { type: "text" };
import style from "../../templates/style.css" with { type: "text" };
import uploadStyle from "../../templates/upload.css" with { type: "text" };
import { bundle } from "./bundle.ts" with { type: "macro" };
import { pdfUrls } from "./preview-assets.ts";

interface Asset {
  /** Changes with the content, so that it may be cached for ever. */
  url: string;
  type: string;
  text: string;
}

function asset(name: string, extension: string, type: string, text: string): Asset {
  const hash = createHash("sha256").update(text).digest("base64url").slice(0, 12);
  return { url: `/assets/${name}-${hash}.${extension}`, type, text };
}

const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

const all = {
  style: asset("style", "css", CSS, style),
  icon: asset("icon", "svg", "image/svg+xml", icon),
  page: asset("page", "js", SCRIPT, bundle("page.ts")),
  upload: asset("upload", "js", SCRIPT, bundle("upload.ts")),
  uploadStyle: asset("upload", "css", CSS, uploadStyle),
  adminStyle: asset("admin", "css", CSS, adminStyle),
  previewStyle: asset("preview", "css", CSS, previewStyle),
  code: asset("code", "js", SCRIPT, bundle("code.ts")),
  codeWorker: asset("code-worker", "js", SCRIPT, bundle("code-worker.ts")),
  pdf: asset("pdf", "js", SCRIPT, bundle("pdf.ts")),
};

const byUrl = new Map(Object.values(all).map((one) => [one.url, one]));

/** The asset served at this path, if it is the current one. */
export const findAsset = (path: string): Asset | undefined => byUrl.get(path);

/** Where pages find them. */
export const assetUrls = {
  style: all.style.url,
  icon: all.icon.url,
  page: all.page.url,
  upload: all.upload.url,
  uploadStyle: all.uploadStyle.url,
  adminStyle: all.adminStyle.url,
};

/** Where the share page finds what previews need. */
export const previewUrls = {
  previewStyle: all.previewStyle.url,
  code: all.code.url,
  codeWorker: all.codeWorker.url,
  pdf: all.pdf.url,
  ...pdfUrls,
};
