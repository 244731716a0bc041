import type { Context } from "hono";
import { WisError } from "../errors.ts";
import type { WebEnv } from "./env.ts";

export const TUS_VERSION = "1.0.0";

/** Throws WisError `precondition.failed` unless a request speaks the version of the protocol that is spoken here. */
export function requireVersion(c: Context<WebEnv>): void {
  // Of OPTIONS none is asked, and GET is no part of the protocol.
  if (["OPTIONS", "GET"].includes(c.req.method) || c.req.header("tus-resumable") === TUS_VERSION) return;
  c.header("Tus-Version", TUS_VERSION);
  throw new WisError("precondition.failed", {
    say: `Resumable uploads go by tus ${TUS_VERSION} here.`,
    hint: `Send Tus-Resumable: ${TUS_VERSION}, or use curl -T FILE LINK/.`,
  });
}

/**
 * The request without what proxies say of themselves: the library refuses `https, http`, which two of them write
 * [@tus/server 2.4.5], and who asks is known already.
 */
export function withoutProxies(request: Request): Request {
  if (!request.headers.has("x-forwarded-proto")) return request;
  const headers = new Headers(request.headers);
  headers.delete("x-forwarded-proto");
  return new Request(request, { headers, ...(request.body !== null && { body: request.body }) });
}

/** The library's answer, unless it is a refusal that it wrote by itself: that is thrown as ours. */
export async function unlessRefused(response: Response): Promise<Response> {
  if (response.status < 400) return response;
  const said = (await response.text()).trim();
  const cause = new Error(`tus: ${response.status} ${said}`);
  if (response.status >= 500) throw cause;
  throw new WisError(response.status === 404 ? "not_found" : "bad_request", {
    say: `This is not how resumable uploads work${said && `: ${said}`}.`,
    hint: "Use a client of tus 1.0.0, or curl -T FILE LINK/.",
    cause,
  });
}
