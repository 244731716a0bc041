import { UploadPage } from "../../../templates/upload.tsx";
import { UploadBusyPage, UploadExpiredPage, UploadUsedPage } from "../../../templates/upload-closed.tsx";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { page } from "../page.ts";

/** `GET /u/:ticket`: takes a file, or says why this link takes none. Looking never claims the ticket. */
export function uploadPage({
  files,
  version,
  publicUrl,
  now,
}: Pick<WebDeps, "files" | "version" | "publicUrl" | "now">): Handler<"/u/:ticket"> {
  const frame = { assets: assetUrls, version };
  return async (c) => {
    const ticket = c.req.param("ticket");
    const address = `/u/${ticket}`;
    const view = await files.inspect(ticket);
    switch (view.state) {
      case "open": {
        const left = Math.max(0, view.limits.maxBytes - view.usage.bytes);
        const props = {
          address,
          link: `${publicUrl}/u/${ticket}/`,
          maxBytes: Math.min(view.limits.maxFileSize, left),
          limits: view.limits,
          usage: view.usage,
          expiresAt: view.expiresAt,
          now: now(),
        };
        return page(c, UploadPage({ ...frame, ...props }));
      }
      case "busy":
        return page(c, UploadBusyPage({ ...frame, address }), 409);
      case "used":
        return page(c, UploadUsedPage({ ...frame, file: view.file }), 410);
      case "expired":
        return page(c, UploadExpiredPage({ ...frame, at: view.at, now: now() }), 410);
    }
  };
}
