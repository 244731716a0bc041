import { isWisError, WisError } from "../errors.ts";
import type { Incoming } from "../files/files.ts";

/** What Discord says of an attachment; `size` in bytes. */
export interface AttachmentSource {
  url: string;
  name: string;
  size: number;
  contentType: string | null;
}

const TIME_LIMIT_MS = 10 * 60_000;
const AGAIN = "Try again, or run /wis upload without a file for an upload link.";

export interface AttachmentRules {
  /** Hosts, with a port where it is not https's own, or whole origins such as `http://10.0.0.5:9000`. */
  cdn: readonly string[];
  /** Ends it, with a WisError as its reason. */
  closing: AbortSignal;
}

/**
 * Opens a Discord attachment for the file desk, which counts its bytes as they stream through. Only from `cdn`, and no
 * redirects: a CDN that points elsewhere could make wisbot fetch from its own network.
 * Throws WisError attachment.refused, attachment.failed, and the reason of `closing`.
 */
export async function openAttachment(
  { url, name, size, contentType }: AttachmentSource,
  { cdn, closing }: AttachmentRules,
): Promise<Incoming> {
  if (!comesFrom(url, cdn)) throw refused();
  const signal = AbortSignal.any([closing, AbortSignal.timeout(TIME_LIMIT_MS)]);
  // Compressed bytes would not be as many as Discord said.
  const headers = { "accept-encoding": "identity" };
  const response = await fetch(url, { redirect: "error", headers, signal }).catch((error: unknown) => {
    throw isWisError(error) ? error : failed(error);
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw failed(new Error(`the CDN answered ${response.status}`));
  }
  return { name, contentType: contentType ?? undefined, length: size, body: response.body, signal };
}

/** What broke an attachment off, for its person: the file desk speaks of an upload's link, and here is none. */
export function withoutLink(error: unknown): unknown {
  if (!isWisError(error, "upload.cut", "upload.slow", "upload.length_mismatch")) return error;
  return new WisError(error.code, { say: error.say, hint: AGAIN, cause: error });
}

/** Whether an address is one of an attachment host. Exported for its table of cases. */
export function comesFrom(address: string, cdn: readonly string[]): boolean {
  const url = URL.parse(address);
  if (url?.username !== "" || url.password !== "") return false;
  return cdn.some((entry) =>
    entry.includes("://") ? URL.parse(entry)?.origin === url.origin : isAt(url, entry),
  );
}

/** Elsewhere only https, which nobody on the way can change; this machine's own ports are reached without. */
function isAt(url: URL, host: string): boolean {
  if (url.host === host) return url.protocol === "https:" || isHere(url);
  return url.hostname === host && isHere(url);
}

function isHere({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}

function refused(): WisError {
  return new WisError("attachment.refused", {
    say: "The attachment does not come from Discord's own servers.",
    hint: "Attach the file in Discord, or run /wis upload without a file for an upload link.",
  });
}

function failed(cause: unknown): WisError {
  return new WisError("attachment.failed", {
    say: "The attachment could not be fetched from Discord.",
    hint: AGAIN,
    cause,
  });
}
