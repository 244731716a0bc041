import { WisError } from "../../errors.ts";
import type { AppDeps } from "../app.ts";
import type { Handler } from "../env.ts";
import { text } from "../page.ts";
import { refuseUnknown, SETTINGS, sharingFrom } from "../sharing.ts";

/** More than any wish takes. */
const MAX_SETTINGS_BYTES = 32_768;

/** `POST /u/:ticket/settings`: says, as JSON, what the share behind an open link shall be. */
export function settings({ files }: Pick<AppDeps, "files">): Handler<"/u/:ticket/settings"> {
  return async (c) => {
    const said = await readObject(c.req.raw);
    refuseUnknown(Object.keys(said), ["files", ...SETTINGS]);
    const sharing = sharingFrom((name) => asText(name, said[name]));
    await files.prepare(c.req.param("ticket"), sharing);
    return c.body(null, 204);
  };
}

/** `POST /u/:ticket/finish`: shares what is there of a bundle, without waiting for more. */
export function finish({ files }: Pick<AppDeps, "files">): Handler<"/u/:ticket/finish"> {
  return async (c) => {
    const file = await files.close(c.req.param("ticket"));
    return text(c, `${file.url}\n`, { "content-type": "text/plain; charset=utf-8", location: file.url }, 201);
  };
}

async function readObject(request: Request): Promise<Record<string, unknown>> {
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!(length <= MAX_SETTINGS_BYTES)) throw malformed(new Error(`${length} bytes`));
  try {
    const value: unknown = await request.json();
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed(undefined);
}

function asText(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new WisError("share.invalid", {
    say: `The setting ${name} is neither a text nor a number.`,
    hint: 'Send them as in {"title": "Photos", "max_downloads": 3}.',
  });
}

function malformed(cause: unknown): WisError {
  return new WisError("bad_request", {
    say: "The settings of the share are not a JSON object of a few lines.",
    hint: 'Send one such as {"title": "Photos", "expires": "7d"}.',
    cause,
  });
}
