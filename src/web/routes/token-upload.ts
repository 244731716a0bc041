import { isUtf8 } from "node:buffer";
import type { Context } from "hono";
import { WisError } from "../../errors.ts";
import type { Incoming } from "../../files/files.ts";
import type { StoredFile, TokenRow } from "../../files/ports.ts";
import type { AppDeps } from "../app.ts";
import type { Handler, WebEnv } from "../env.ts";
import { type FormFields, type FormFile, readForm } from "../form.ts";
import { json, text } from "../page.ts";
import type { RateGate } from "../rates.ts";
import { refuseUnknown, SETTINGS, sharingFrom } from "../sharing.ts";

// Seconds that the connection has for the answer once the file desk is done with the body.
const ANSWER_S = 30;

type TokenUploadDeps = Pick<AppDeps, "files" | "closing" | "uploads" | "telemetry"> & { gate: RateGate };

/**
 * `PUT /api/files/:filename` with a token: `curl -T FILE -H "Authorization: Bearer …" HOST/api/files/`. Wishes in the
 * query, or as `wisbot-…` headers.
 */
export function putFile(deps: TokenUploadDeps): Handler<"/api/files/:filename"> {
  return async (c) => {
    const file = await withToken(deps, c, async (owner, wish, signal) => {
      const request = c.req.raw;
      const length = request.headers.get("content-length");
      const incoming: Incoming = {
        name: c.req.param("filename"),
        contentType: c.req.header("content-type"),
        length: length === null ? (request.body === null ? 0 : undefined) : Number(length),
        body: request.body ?? new Blob([]).stream(),
        signal,
      };
      return await deps.files.add({ ...owner, ...sharingFrom(wish) }, incoming);
    });
    return text(c, `${file.url}\n`, { "content-type": "text/plain; charset=utf-8", location: file.url }, 201);
  };
}

/**
 * `POST /api/files` with a token: a form with one file, as ShareX and its kin send it. Wishes as its fields, or as for
 * `PUT`. Answers JSON.
 */
export function postFile(deps: TokenUploadDeps): Handler<"/api/files"> {
  return async (c) => {
    const file = await withToken(deps, c, async (owner, wish, signal) => {
      let stored: StoredFile | undefined;
      const take = async (file: FormFile, fields: FormFields) => {
        if (stored) throw onlyOne();
        refuseUnknown(fields.keys());
        const wishes = sharingFrom((name) => fields.get(name) ?? wish(name));
        stored = await deps.files.add({ ...owner, ...wishes }, { ...file, length: undefined, signal });
      };
      try {
        await readForm(c.req.raw, take, { signal });
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

type Wish = (name: string) => string | undefined;
type Run = (
  owner: Pick<TokenRow, "ownerId" | "asker">,
  wish: Wish,
  signal: AbortSignal,
) => Promise<StoredFile>;

/** Who sends, by their token, with a place for the upload held meanwhile. Nobody holds one who has no token. */
async function withToken(
  { files, gate, closing, uploads }: TokenUploadDeps,
  c: Context<WebEnv>,
  run: Run,
): Promise<StoredFile> {
  const wish = wishesBeside(c);
  await gate.mayAskForLink(c.var.client);
  const secret = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  const { ownerId, asker } = await files.tokenOf(secret).catch(async (error: unknown) => {
    await gate.guessed(c.var.client);
    c.header("WWW-Authenticate", 'Bearer realm="WisBot"');
    throw error;
  });
  using _place = await gate.upload(c.var.client);
  const request = c.req.raw;
  c.env.server.timeout(request, 0);
  const running = run({ ownerId, asker }, wish, AbortSignal.any([request.signal, closing]));
  uploads.add(running);
  return await running.finally(() => {
    uploads.delete(running);
    c.env.server.timeout(request, ANSWER_S);
  });
}

/** A header's name has no underscores: proxies drop such headers without a word. */
const headerOf = (name: string) => `wisbot-${name.replaceAll("_", "-")}`;

/** What the query and the headers say, the query first. */
function wishesBeside(c: Context<WebEnv>): Wish {
  const query = c.req.query();
  const headers = c.req.header();
  if ("password" in query) throw passwordInQuery();
  refuseUnknown(Object.keys(query));
  const said = Object.keys(headers).filter((name) => name.startsWith("wisbot-"));
  refuseUnknown(said, SETTINGS.map(headerOf));
  return (name) => query[name] ?? utf8Of(headers[headerOf(name)]);
}

/** Programs write headers in UTF-8, of which Bun makes a character a byte. */
function utf8Of(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const bytes = Buffer.from(header, "latin1");
  return isUtf8(bytes) ? bytes.toString() : header;
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
