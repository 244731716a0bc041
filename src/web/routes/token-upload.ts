import { WisError } from "../../errors.ts";
import type { Incoming } from "../../files/files.ts";
import type { StoredFile } from "../../files/ports.ts";
import type { AppDeps } from "../app.ts";
import type { Handler } from "../env.ts";
import { readForm } from "../form.ts";
import { json, text } from "../page.ts";
import type { RateGate } from "../rates.ts";
import { sharingFrom } from "../sharing.ts";

// Seconds that the connection has for the answer once the file desk is done with the body.
const ANSWER_S = 30;

type TokenUploadDeps = Pick<AppDeps, "files" | "closing" | "uploads" | "telemetry"> & { gate: RateGate };

/** `PUT /api/files/:filename` with a token: `curl -T FILE -H "Authorization: Bearer …" HOST/api/files/`. Wishes in the query, or as `wisbot-…` headers. */
export function putFile(deps: TokenUploadDeps): Handler<"/api/files/:filename"> {
  return async (c) => {
    // A header's name has no underscores: proxies drop such headers without a word.
    const header = (name: string) => c.req.header(`wisbot-${name.replaceAll("_", "-")}`);
    const wishes = sharingFrom((name) => c.req.query(name) ?? header(name));
    const file = await withToken(deps, c, async (owner, signal) => {
      const request = c.req.raw;
      const length = request.headers.get("content-length");
      const incoming: Incoming = {
        name: c.req.param("filename"),
        contentType: c.req.header("content-type"),
        length: length === null ? (request.body === null ? 0 : undefined) : Number(length),
        body: request.body ?? new Blob([]).stream(),
        signal,
      };
      return await deps.files.add({ ...owner, ...wishes }, incoming);
    });
    return text(c, `${file.url}\n`, { "content-type": "text/plain; charset=utf-8", location: file.url }, 201);
  };
}

/** `POST /api/files` with a token: a form with one file, as ShareX and its kin send it. Answers JSON. */
export function postFile(deps: TokenUploadDeps): Handler<"/api/files"> {
  return async (c) => {
    const file = await withToken(deps, c, async (owner, signal) => {
      let stored: StoredFile | undefined;
      try {
        await readForm(c.req.raw, async (file, fields) => {
          if (stored) throw onlyOne();
          const wishes = sharingFrom((name) => fields.get(name));
          stored = await deps.files.add({ ...owner, ...wishes }, { ...file, length: undefined, signal });
        });
      } catch (error) {
        if (stored) await takeBack(deps, stored);
        throw error;
      }
      if (!stored) throw onlyOne();
      return stored;
    });
    c.header("Location", file.url);
    return json(c, fileAsJson(file), 201);
  };
}

/** Nobody was told its address. */
async function takeBack({ files, telemetry }: TokenUploadDeps, { id }: StoredFile): Promise<void> {
  try {
    await files.remove(id, "admin");
  } catch (error) {
    telemetry.record(error, "taking a broken form's file back");
  }
}

const fileAsJson = ({ id, name, size, sha256, url, expiresAt }: StoredFile) => ({
  id,
  name,
  size,
  sha256,
  url,
  download_url: `${url}/download`,
  expires_at: new Date(expiresAt).toISOString(),
});

/** Who sends, by their token, with a place for the upload held meanwhile. */
async function withToken(
  { files, gate, closing, uploads }: TokenUploadDeps,
  c: Parameters<Handler<string>>[0],
  run: (owner: Parameters<AppDeps["files"]["add"]>[0], signal: AbortSignal) => Promise<StoredFile>,
): Promise<StoredFile> {
  if (c.req.query("password") !== undefined) throw passwordInQuery();
  await gate.mayAskForLink(c.var.client);
  using _place = await gate.upload(c.var.client);
  const secret = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  const { ownerId, asker } = await files.tokenOf(secret).catch(async (error: unknown) => {
    await gate.guessed(c.var.client);
    c.header("WWW-Authenticate", 'Bearer realm="WisBot"');
    throw error;
  });
  const request = c.req.raw;
  c.env.server.timeout(request, 0);
  const running = run({ ownerId, asker }, AbortSignal.any([request.signal, closing]));
  uploads.add(running);
  return await running.finally(() => {
    uploads.delete(running);
    c.env.server.timeout(request, ANSWER_S);
  });
}

/** Addresses end up in the logs of proxies, in shell histories and in the list of processes. */
function passwordInQuery(): WisError {
  return new WisError("share.invalid", {
    say: "A password does not belong into an address, which others can read. Nothing was stored.",
    hint: "Choose another one, and send it as a header, wisbot-password: …, or as a field of the form.",
  });
}

function onlyOne(): WisError {
  return new WisError("bad_request", {
    say: "The form must have exactly one file.",
    hint: "Send one file in each request.",
  });
}
