import { UploadPage } from "../../../templates/upload.tsx";
import { UploadBusyPage, UploadExpiredPage, UploadUsedPage } from "../../../templates/upload-closed.tsx";
import { WisError } from "../../errors.ts";
import type { TicketView } from "../../files/files.ts";
import { closedTicket } from "../../files/ticket.ts";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { page, wantsPage } from "../page.ts";
import { statusOf } from "../problem.ts";

type UploadPageDeps = Pick<WebDeps, "files" | "version" | "publicUrl" | "now">;

/** `GET /u/:ticket`: takes a file, or says why this link takes none. Looking never claims the ticket. */
export function uploadPage({ files, version, publicUrl, now }: UploadPageDeps): Handler<"/u/:ticket"> {
  const frame = { assets: assetUrls, version };
  return async (c) => {
    const ticket = c.req.param("ticket");
    const address = `/u/${ticket}`;
    const view = await files.inspect(ticket);
    const refusal = closedTicket(view);
    if (refusal && !wantsPage(c)) throw forScripts(refusal, view);
    switch (view.state) {
      case "open": {
        const { limits, usage, expiresAt } = view;
        const maxBytes = Math.min(limits.maxFileSize, Math.max(0, limits.maxBytes - usage.bytes));
        const link = `${publicUrl}${address}/`;
        const props = { ...frame, address, link, maxBytes, limits, usage, expiresAt, now: now() };
        return page(c, UploadPage(props));
      }
      case "busy":
        return page(c, UploadBusyPage({ ...frame, address }), statusOf["ticket.busy"]);
      case "used":
        return page(c, UploadUsedPage({ ...frame, file: view.file }), statusOf["ticket.used"]);
      case "expired":
        return page(c, UploadExpiredPage({ ...frame, at: view.at, now: now() }), statusOf["ticket.expired"]);
    }
  };
}

/** The same for scripts, which can't follow the link on a page. */
function forScripts(refusal: WisError, view: TicketView): WisError {
  if (view.state !== "used" || !view.file) return refusal;
  return new WisError(refusal.code, { say: refusal.say, hint: `Its file is at ${view.file.url}.` });
}
