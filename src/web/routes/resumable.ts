import { isWisError } from "../../errors.ts";
import type { AppDeps } from "../app.ts";
import type { Handler } from "../env.ts";
import type { RateGate } from "../rates.ts";
import { createTus, isWholeShare } from "../tus.ts";
import { requireVersion, TUS_VERSION, unlessRefused, withoutProxies } from "../tus-refusals.ts";

// Seconds that the connection has for the answer once the file desk is done with the body.
const ANSWER_S = 30;

type ResumableDeps = Pick<AppDeps, "files" | "closing" | "uploads"> & { gate: RateGate };

/** `/api/uploads`: resumable uploads, as tus 1.0.0. What arrived before a cut stays, and is gone on with. */
export function resumable({ files, gate, closing, uploads }: ResumableDeps): Handler<string> {
  const answer = createTus({ files, closing });
  const handle = async (request: Request) => await unlessRefused(await answer(withoutProxies(request)));

  return async (c) => {
    const { method, raw: request } = c.req;
    // Said of errors too, which the problem page answers.
    c.header("Tus-Resumable", TUS_VERSION);
    c.header("Cache-Control", "no-store");
    try {
      requireVersion(c);
      if (method === "HEAD") return await withAddress(await handle(request), c.req.param("id"));
      if (method !== "POST" && method !== "PATCH") return await handle(request);
      if (method === "POST") await gate.creation(c.var.client);
      using _place = await gate.place(c.var.client);
      // Bun counts from the call on and not from the last byte [measured, 1.4.5]. How slow a body may be is the file
      // desk's rule.
      c.env.server.timeout(request, 0);
      const running = handle(request);
      uploads.add(running);
      return await running.finally(() => {
        uploads.delete(running);
        c.env.server.timeout(request, ANSWER_S);
      });
    } catch (error) {
      // What does not speak the protocol tries things out, as whoever guesses links.
      if (isWisError(error, "bad_request", "precondition.failed")) await gate.guessed(c.var.client);
      throw error;
    }
  };

  /** A sender that missed the end of its upload learns the share's address here. */
  async function withAddress(response: Response, key: string | undefined): Promise<Response> {
    const isWhole = response.headers.get("upload-offset") === response.headers.get("upload-length");
    if (response.status !== 200 || !isWhole || key === undefined) return response;
    const { file } = await files.progress(key);
    if (isWholeShare(file)) response.headers.set("Content-Location", file.url);
    return response;
  }
}
