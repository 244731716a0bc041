import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { isbot } from "isbot";
import { WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { hashCapability } from "../lib/capability.ts";
import { clientKey } from "./client-address.ts";
import type { WebEnv } from "./env.ts";
import type { RateGate } from "./rates.ts";

/** Who looks or downloads, as far as one can tell two apart: an address and a program. Hashed before it is kept. */
export function visitorOf(c: Context<WebEnv>): string {
  return `${clientKey(c.get("client"))} ${c.req.header("user-agent") ?? ""}`;
}

// isbot also counts programs that people download with, and browsers without a screen.
const TOOL =
  /^(?:curl|wget|aria2|axel|httpie|python|go-http-client|okhttp|bun|node|undici|powershell|sharex|lavf|vlc|mpv)\b|headlesschrome/i;

/** Whether a program that makes link previews asks, as all of them say themselves. */
export function isPreviewer(c: Context<WebEnv>): boolean {
  const agent = c.req.header("user-agent") ?? "";
  return isbot(agent) && !TOOL.test(agent);
}

/** Cookies are the browser's word to us about one share; their names tell nothing about it. */
const cookieOf = ({ shareId }: StoredFile) => `wis-${hashCapability(shareId).slice(0, 16)}`;

/** Whether this visitor may see the share: it has no password, or they have typed it before. */
export function isAdmitted(files: Pick<Files, "admits">, c: Context<WebEnv>, file: StoredFile): boolean {
  if (file.passwordHash === null) return true;
  const pass = getCookie(c, cookieOf(file));
  return files.admits(file, pass === undefined ? [] : [pass]);
}

export interface DoorDeps {
  files: Pick<Files, "admits" | "unlock">;
  gate: Pick<RateGate, "mayTryPassword" | "wrongPassword">;
  publicUrl: string;
}

/** Lets in who knows the password, and remembers it in a cookie. Throws WisError `password.wrong`, `rate_limited`. */
export async function unlock(
  { files, gate, publicUrl }: DoorDeps,
  c: Context<WebEnv>,
  file: StoredFile,
  password: string,
): Promise<void> {
  const { client } = c.var;
  await gate.mayTryPassword(file.shareId, client);
  const pass = await files.unlock(file, password, visitorOf(c)).catch(async (error: unknown) => {
    await gate.wrongPassword(file.shareId, client);
    throw error;
  });
  setCookie(c, cookieOf(file), pass, {
    path: "/f/",
    httpOnly: true,
    sameSite: "Lax",
    secure: publicUrl.startsWith("https:"),
  });
}

/**
 * Lets somebody through to a share's bytes, or throws WisError `password.needed`, `password.wrong`. Programs say the
 * password as `curl -u :PASSWORD`.
 */
export async function letIn(deps: DoorDeps, c: Context<WebEnv>, file: StoredFile): Promise<void> {
  if (isAdmitted(deps.files, c, file)) return;
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (basic !== undefined) {
    const [, ...password] = Buffer.from(basic, "base64").toString().split(":");
    return await unlock(deps, c, file, password.join(":"));
  }
  c.header("WWW-Authenticate", 'Basic realm="WisBot share", charset="UTF-8"');
  throw new WisError("password.needed", {
    say: "This share has a password.",
    hint: "Open its page in a browser, or use curl -u :PASSWORD.",
  });
}
