import { UploadDonePage } from "../../../templates/upload-closed.tsx";
import { WisError } from "../../errors.ts";
import type { AppDeps } from "../app.ts";
import { assetUrls } from "../assets.ts";
import type { Handler } from "../env.ts";
import { readForm } from "../form.ts";
import { page } from "../page.ts";
import type { RateGate } from "../rates.ts";
import { sharingFrom } from "../sharing.ts";

// Seconds that the connection has for the answer once the file desk is done with the body.
const ANSWER_S = 30;
/** Nobody knows how many files a form will have: it is said at its end. */
const ANY_NUMBER = 2_000;

type FormDeps = Pick<AppDeps, "files" | "closing" | "uploads" | "version"> & { gate: RateGate };

/** `POST /u/:ticket`: the page's form, for browsers without JavaScript. One file or many, and the sender's wishes. */
export function form({ files, gate, closing, uploads, version }: FormDeps): Handler<"/u/:ticket"> {
  return async (c) => {
    using _place = await gate.upload(c.var.client);
    const ticket = c.req.param("ticket");
    const request = c.req.raw;
    c.env.server.timeout(request, 0);
    const signal = AbortSignal.any([request.signal, closing]);
    let prepared = false;

    const running = readForm(request, async (file, fields) => {
      if (!prepared)
        await files.prepare(ticket, { ...sharingFrom((name) => fields.get(name)), files: ANY_NUMBER });
      prepared = true;
      await files.upload(ticket, { ...file, length: undefined, signal });
    }).then(async ({ files: sent }) => {
      if (sent > 0) return await files.close(ticket);
      throw new WisError("share.invalid", {
        say: "No file was chosen.",
        hint: "Go back, choose one, and send the form again.",
      });
    });
    uploads.add(running);
    const file = await running.finally(() => {
      uploads.delete(running);
      c.env.server.timeout(request, ANSWER_S);
    });
    c.header("Location", file.url);
    return page(c, UploadDonePage({ assets: assetUrls, version, file }), 201);
  };
}
