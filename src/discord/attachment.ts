import { WisError } from "../errors.ts";
import type { Incoming } from "../files/files.ts";

/** What Discord says of an attachment; `size` in bytes. */
export interface AttachmentSource {
  url: string;
  name: string;
  size: number;
  contentType: string | null;
}

const TIME_LIMIT_MS = 10 * 60_000;

/**
 * Opens a Discord attachment for the file desk, which counts its bytes as they stream through. Only from `cdn`: names
 * of hosts, reached by https on its own port, or whole origins such as `http://127.0.0.1:9000`. No redirects: a CDN
 * that points elsewhere could make wisbot fetch from its own network.
 * Throws WisError attachment.refused, attachment.failed.
 */
export async function openAttachment(source: AttachmentSource, cdn: string[]): Promise<Incoming> {
  const { url, name, size, contentType } = source;
  if (!comesFrom(url, cdn)) throw refused();
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  // Compressed bytes would not be as many as Discord said.
  const headers = { "accept-encoding": "identity" };
  const response = await fetch(url, { redirect: "error", headers, signal }).catch((error) => {
    throw failed(error);
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw failed(new Error(`the CDN answered ${response.status}`));
  }
  return { name, contentType: contentType ?? undefined, length: size, body: response.body, signal };
}

function comesFrom(url: string, cdn: string[]): boolean {
  const bases = cdn.map((host) => (host.includes("://") ? host : `https://${host}`));
  return URL.canParse(url) && bases.some((base) => URL.parse(base)?.origin === new URL(url).origin);
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
    hint: "Try again, or run /wis upload without a file for an upload link.",
    cause,
  });
}
