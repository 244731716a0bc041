import { WisError } from "../../errors.ts";
import type { StoredFile } from "../../files/ports.ts";
import { closedTicket } from "../../files/ticket.ts";
import type { AppDeps } from "../app.ts";
import type { Handler } from "../env.ts";
import { type FormFields, type FormFile, readForm } from "../form.ts";
import { text, wantsPage } from "../page.ts";
import type { RateGate } from "../rates.ts";
import { refuseUnknown, sharingFrom } from "../sharing.ts";

// Seconds that the connection has for the answer once the file desk is done with the body.
const ANSWER_S = 30;
/** Nobody knows how many files a form will have: it is said at its end. */
const ANY_NUMBER = 2_000;

type FormDeps = Pick<AppDeps, "files" | "closing" | "uploads" | "telemetry"> & {
  gate: RateGate;
};

/**
 * `POST /u/:ticket`: the page's form, for browsers without JavaScript. One file or many, and the sender's wishes. Leads
 * a browser back to the page, which shows the link now and can be loaded again; `curl -F` is told it in one line.
 */
export function form(deps: FormDeps): Handler<"/u/:ticket"> {
  const { files, gate, closing, uploads } = deps;
  return async (c) => {
    const ticket = c.req.param("ticket");
    // Nobody holds a place who has no link.
    const closed = closedTicket(await files.inspect(ticket));
    if (closed) throw closed;
    using _place = await gate.upload(c.var.client);
    const request = c.req.raw;
    c.env.server.timeout(request, 0);
    const signal = AbortSignal.any([request.signal, closing]);
    const running = receiveForm(deps, request, ticket, signal);
    uploads.add(running);
    const file = await running.finally(() => {
      uploads.delete(running);
      c.env.server.timeout(request, ANSWER_S);
    });
    if (wantsPage(c)) return c.redirect(`/u/${ticket}`, 303);
    return text(c, `${file.url}\n`, { "content-type": "text/plain; charset=utf-8", location: file.url }, 201);
  };
}

/** All of a form's files or none: whoever sends it again sends all of them again. */
async function receiveForm(
  { files, telemetry }: Pick<FormDeps, "files" | "telemetry">,
  request: Request,
  ticket: string,
  signal: AbortSignal,
): Promise<StoredFile> {
  const arrived: StoredFile[] = [];
  let isPrepared = false;
  try {
    const take = async (file: FormFile, fields: FormFields) => {
      if (!isPrepared) {
        refuseUnknown(fields.keys());
        await files.prepare(ticket, { ...sharingFrom((name) => fields.get(name)), files: ANY_NUMBER });
      }
      isPrepared = true;
      arrived.push(await files.upload(ticket, { ...file, length: undefined, signal }));
    };
    await readForm(request, take, { signal });
    if (arrived.length === 0) throw nothingChosen();
    return await files.close(ticket);
  } catch (error) {
    if (isPrepared) await takeBack(files, ticket, arrived).catch(onLeftover);
    throw error;
  }

  function onLeftover(error: unknown) {
    telemetry.record(error, "taking a broken form's files back");
  }
}

/** The link is as it was before the form. */
async function takeBack(files: FormDeps["files"], ticket: string, arrived: StoredFile[]): Promise<void> {
  for (const { id } of arrived) await files.remove(id, "admin");
  await files.prepare(ticket, {});
}

function nothingChosen(): WisError {
  return new WisError("share.invalid", {
    say: "No file was chosen.",
    hint: "Go back, choose one, and send the form again.",
  });
}
