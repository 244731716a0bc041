import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { isbot } from "isbot";
import { isWisError, WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { hashCapability } from "../lib/capability.ts";
import { clientKey } from "./client-address.ts";
import type { WebEnv } from "./env.ts";
import { wantsPage } from "./page.ts";
import type { RateGate } from "./rates.ts";

/** Who looks or downloads, as far as one can tell two apart: an address and a program. Hashed before it is kept. */
export function visitorOf(c: Context<WebEnv>): string {
  return `${clientKey(c.get("client"))} ${c.req.header("user-agent") ?? ""}`;
}

// isbot counts everything that is no browser, and so whatever people download with. Who makes previews says so, or says
// where its owner can be found.
const PREVIEWER =
  /bot|crawl|spider|preview|unfurl|embed|externalhit|facebook|twitter|mastodon|whatsapp|telegram|slack|discord|viber|vkshare|rocket\.chat|:\/\//i;

/** Whether a program of that name (its User-Agent) makes link previews. */
export const isPreviewerName = (agent: string): boolean => PREVIEWER.test(agent) && isbot(agent);

/** Whether a program that makes link previews asks, as all of them say themselves. */
export const isPreviewer = (c: Context<WebEnv>): boolean => isPreviewerName(c.req.header("user-agent") ?? "");

/** Cookies are the browser's word to us about one share; their names tell nothing about it. */
const cookieOf = ({ shareId }: StoredFile) => `wis-${hashCapability(shareId).slice(0, 16)}`;

/** Whether this visitor may see the share: it has no password, or they have typed it before. */
function isAdmitted(files: Pick<Files, "admits">, c: Context<WebEnv>, file: StoredFile): boolean {
  if (file.passwordHash === null) return true;
  const pass = getCookie(c, cookieOf(file));
  return files.admits(file, pass === undefined ? [] : [pass]);
}

/** Whether a person has yet to type the password: their browser is sent to the page that asks for it. */
export function mustType(files: Pick<Files, "admits">, c: Context<WebEnv>, file: StoredFile): boolean {
  return wantsPage(c) && c.req.header("authorization") === undefined && !isAdmitted(files, c, file);
}

export interface DoorDeps {
  files: Pick<Files, "admits" | "unlock">;
  gate: Pick<RateGate, "tryPassword">;
  /** `files.unlock` for programs: see known-passwords.ts. */
  unlockAgain: Files["unlock"];
  publicUrl: string;
}

/** Lets in who types the password, and remembers it in a cookie. Throws WisError `password.wrong`, `rate_limited`. */
export async function unlock(
  { files, gate, publicUrl }: DoorDeps,
  c: Context<WebEnv>,
  file: StoredFile,
  password: string,
): Promise<void> {
  const pass = await counted(gate, c, file, () => files.unlock(file, password, visitorOf(c)));
  setCookie(c, cookieOf(file), pass, {
    path: "/f/",
    httpOnly: true,
    sameSite: "Lax",
    secure: publicUrl.startsWith("https:"),
  });
}

/**
 * Lets somebody through to a share's bytes, or throws WisError `password.needed`, `password.wrong`, `rate_limited`.
 * Programs say the password as `curl -u :PASSWORD`.
 */
export async function letIn(deps: DoorDeps, c: Context<WebEnv>, file: StoredFile): Promise<void> {
  if (isAdmitted(deps.files, c, file)) return;
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (basic === undefined) {
    throw new WisError("password.needed", {
      say: "This share has a password.",
      hint: "Open its page in a browser, or use curl -u :PASSWORD.",
    });
  }
  const [, ...password] = Buffer.from(basic, "base64").toString().split(":");
  await counted(deps.gate, c, file, () => deps.unlockAgain(file, password.join(":"), visitorOf(c)));
}

/** Checks a password, which counts unless it turns out not to be wrong. */
async function counted(
  gate: DoorDeps["gate"],
  c: Context<WebEnv>,
  { shareId }: StoredFile,
  check: () => Promise<string>,
): Promise<string> {
  const attempt = await gate.tryPassword(shareId, c.var.client);
  let isWrong = false;
  try {
    return await check();
  } catch (error) {
    isWrong = isWisError(error, "password.wrong");
    throw error;
  } finally {
    if (!isWrong) await attempt.giveBack();
  }
}
