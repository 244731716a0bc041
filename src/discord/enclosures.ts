import { isWisError, WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import type { Attachment } from "../llm/llm.ts";
import { type AttachmentRules, type AttachmentSource, openAttachment } from "./attachment.ts";

/** As many as a message has. */
const MOST = 10;
/** Of one, in bytes. */
export const LARGEST = 10e6;
/** Of all together: they are held in memory until the question is asked. */
const TOGETHER = 25e6;

/**
 * Fetches what came with a question, one after the other.
 * Throws WisError file.too_large, attachment.refused, attachment.failed, and the reason of `closing`.
 */
export async function fetchEnclosures(
  sources: readonly AttachmentSource[],
  rules: AttachmentRules,
): Promise<Attachment[]> {
  const found = sources.slice(0, MOST);
  if (found.reduce((sum, { size }) => sum + size, 0) > TOGETHER) throw tooMuch();
  const attachments: Attachment[] = [];
  for (const source of found) attachments.push(await fetchOne(source, rules));
  return attachments;
}

async function fetchOne(source: AttachmentSource, rules: AttachmentRules): Promise<Attachment> {
  const { name, size, contentType } = source;
  if (size > LARGEST) throw tooLarge(name);
  try {
    const { body } = await openAttachment(source, rules);
    return { name, contentType: contentType ?? undefined, bytes: await read(body, size) };
  } catch (error) {
    throw isWisError(error) && !isWisError(error, "attachment.refused", "attachment.failed")
      ? error
      : unfetched(name, error);
  }
}

/** Discord said how many bytes there are: more than that are not taken. */
async function read(body: ReadableStream<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of body) {
    if (length + chunk.byteLength > size) throw new Error("the CDN sent more than Discord said");
    bytes.set(chunk, length);
    length += chunk.byteLength;
  }
  if (length < size) throw new Error(`the CDN sent ${length} bytes of ${size}`);
  return bytes;
}

function unfetched(name: string, cause: unknown): WisError {
  return new WisError(isWisError(cause) ? cause.code : "attachment.failed", {
    say: `"${name}" could not be fetched from Discord.`,
    hint: "Attach it again and ask once more.",
    cause,
  });
}

function tooLarge(name: string): WisError {
  return new WisError("file.too_large", {
    say: `"${name}" is larger than the ${formatBytes(LARGEST)} that can go along with a question.`,
    hint: "Attach a smaller file, or a part of it.",
  });
}

function tooMuch(): WisError {
  return new WisError("file.too_large", {
    say: `The attachments are larger than the ${formatBytes(TOGETHER)} that can go along with a question.`,
    hint: "Ask about fewer of them at once.",
  });
}
