import type { Context } from "hono";
import { UploadPage } from "../../../templates/upload.tsx";
import { UploadBusyPage, UploadExpiredPage, UploadUsedPage } from "../../../templates/upload-closed.tsx";
import { WisError } from "../../errors.ts";
import type { TicketView } from "../../files/files.ts";
import { closedTicket } from "../../files/ticket.ts";
import { MAX_MEMBERS } from "../../files/wishes.ts";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { FORM_REFERRER, pagePolicy } from "../headers.ts";
import { json, page, wantsPage } from "../page.ts";
import { statusOf } from "../problem.ts";

type UploadPageDeps = Pick<WebDeps, "files" | "version" | "publicUrl" | "now">;

const POLICY = pagePolicy({ "form-action": "'self'" });

/** `GET /u/:ticket`: takes files, or says why this link takes none. Looking never claims the ticket. */
export function uploadPage({ files, version, publicUrl, now }: UploadPageDeps): Handler<"/u/:ticket"> {
  const frame = { assets: assetUrls, version };
  return async (c) => {
    const ticket = c.req.param("ticket");
    const address = `/u/${ticket}`;
    const view = await files.inspect(ticket);
    const refusal = closedTicket(view);
    if (wantsJson(c)) return json(c, viewAsJson(view), refusal ? statusOf[refusal.code] : 200);
    if (refusal && !wantsPage(c)) throw forScripts(refusal, view);
    c.header("Content-Security-Policy", POLICY);
    c.header("Referrer-Policy", FORM_REFERRER);
    switch (view.state) {
      case "open": {
        const { limits, usage, expiresAt, spaceAt } = view;
        const maxBytes = Math.min(limits.maxFileSize, Math.max(0, limits.maxBytes - usage.bytes));
        const link = `${publicUrl}${address}/`;
        const room = { maxBytes, maxFiles: MAX_MEMBERS, limits, usage, spaceAt };
        return page(c, UploadPage({ ...frame, address, link, ...room, expiresAt, now: now() }));
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

function wantsJson(c: Context): boolean {
  return c.req.header("accept")?.includes("application/json") ?? false;
}

/** For the page itself, when it is opened again in the middle of an upload. */
function viewAsJson(view: TicketView) {
  const { state } = view;
  if (view.state === "used") return { state, files: [], expected: null, url: view.file?.url };
  if (view.state !== "open") return { state, files: [], expected: null };
  const arriving = view.arriving.map(({ name, path, size, received, ready }) => ({
    name,
    path,
    size,
    received,
    state: ready ? "ready" : "uploading",
  }));
  return { state, files: arriving, expected: view.expected };
}

/** The same for scripts, which can't follow the link on a page. */
function forScripts(refusal: WisError, view: TicketView): WisError {
  if (view.state !== "used" || !view.file) return refusal;
  return new WisError(refusal.code, { say: refusal.say, hint: `Its file is at ${view.file.url}.` });
}
