import { WisError } from "../../errors.ts";
import type { AppDeps } from "../app.ts";
import type { Handler } from "../env.ts";
import { text } from "../page.ts";
import type { RateGate } from "../rates.ts";

// Seconds that the connection has for the answer once the file desk is done with the body.
const ANSWER_S = 30;

type UploadDeps = Pick<AppDeps, "files" | "closing" | "uploads"> & { gate: RateGate };

/**
 * `PUT /u/:ticket/:filename`: the body is the file, from the page and from `curl -T FILE LINK/` alike. Answers the
 * share address in one line.
 */
export function upload({ files, gate, closing, uploads }: UploadDeps): Handler<"/u/:ticket/:filename"> {
  return async (c) => {
    refuseQuery(c.req.query());
    using _place = await gate.upload(c.var.client);
    const request = c.req.raw;
    // Bun counts this from the call on and not from the last byte [measured, 1.4.5], so any number would end large
    // uploads. How slow a body may be is the file desk's rule.
    c.env.server.timeout(request, 0);
    const running = files.upload(c.req.param("ticket"), {
      name: c.req.param("filename"),
      contentType: c.req.header("content-type"),
      length: lengthOf(request),
      body: request.body ?? new Blob([]).stream(),
      signal: AbortSignal.any([request.signal, closing]),
    });
    uploads.add(running);
    const file = await running.finally(() => {
      uploads.delete(running);
      c.env.server.timeout(request, ANSWER_S);
    });
    return text(c, `${file.url}\n`, { "content-type": "text/plain; charset=utf-8", location: file.url }, 201);
  };
}

/** What is wished in a query would be lost without a word, a password among it. */
function refuseQuery(query: Record<string, string>): void {
  if (Object.keys(query).length === 0) return;
  throw new WisError("share.invalid", {
    say: "This address takes a file and no settings.",
    hint: "Send them first, as JSON, to LINK/settings; or leave away what stands behind the question mark.",
  });
}

/** `PUT` without a name, which is what `curl -T -` makes of the link. */
export const nameMissing: Handler<"/u/:ticket"> = () => {
  throw new WisError("file.name_invalid", {
    say: "The address lacks the name of the file.",
    hint: "Put it behind the link: curl -T FILE LINK/, or for a stream: curl -T - LINK/NAME.",
  });
};

/** Undefined for a chunked body. Bun has refused a length that is no number. */
function lengthOf(request: Request): number | undefined {
  const length = request.headers.get("content-length");
  if (length !== null) return Number(length);
  return request.body === null ? 0 : undefined;
}
