import type { APIAttachment, APIMessage, Attachment, Message } from "discord.js";
import type { AttachmentSource } from "./attachment.ts";

// A message that a question is about, as the model gets to read it.

/** What somebody wrote. */
export interface Quote {
  name: string;
  /** Empty: there is nothing that could be read. */
  text: string;
  attachments: AttachmentSource[];
}

/** Stands for the question of somebody who only points at something. */
export const WHAT_OF_IT = "What is this about? If it asks something, answer it; otherwise explain it.";

/** As discord.js has it where it knows the channel, and as Discord sends it everywhere else. */
export function quoteOf(
  message: Pick<Message | APIMessage, "author" | "content" | "embeds" | "attachments">,
): Quote {
  const { author, content, embeds, attachments } = message;
  const name = "displayName" in author ? author.displayName : (author.global_name ?? author.username);
  const cards = [...embeds].flatMap(({ title, description }) => [title, description]);
  const files: (APIAttachment | Attachment)[] = [...attachments.values()];
  return { name, text: [content, ...cards].filter(Boolean).join("\n"), attachments: files.map(sourceOf) };
}

export function sourceOf(file: APIAttachment | Attachment): AttachmentSource {
  if ("filename" in file) {
    const { url, filename: name, size, content_type: contentType = null } = file;
    return { url, name, size, contentType };
  }
  return file;
}

export function isEmpty({ text, attachments }: Quote): boolean {
  return text === "" && attachments.length === 0;
}

/** A question with what it is about above it. */
export function promptAbout({ name, text }: Quote, question: string): string {
  const quoted = text.split("\n").map((line) => `> ${line}`);
  return [`${name} wrote:`, ...quoted, "", question].join("\n");
}
