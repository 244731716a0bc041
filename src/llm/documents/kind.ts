/** What a file is. A `zip` may hold a Word document; an `other` file may be text. */
export type Kind = "image" | "pdf" | "zip" | "other";

/** Bytes: mail gateways and printers put lines before a PDF's header and after its end, and readers look so far. */
const PDF_MARGIN = 1024;

/** By the bytes that a file holds: its name and its type are its sender's to choose. */
export function kindOf(bytes: Uint8Array): Kind {
  const head = latin1(bytes.subarray(0, PDF_MARGIN));
  if (isImage(head)) return "image";
  if (head.startsWith("PK\x03\x04")) return "zip";
  if (head.startsWith("%PDF-")) return "pdf";
  // A text that only speaks of PDFs has no such end.
  const wrapped = /^%PDF-\d/m.test(head) && latin1(bytes.subarray(-PDF_MARGIN)).includes("%%EOF");
  return wrapped ? "pdf" : "other";
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function isImage(head: string): boolean {
  return (
    head.startsWith("\x89PNG\r\n\x1a\n") ||
    head.startsWith("\xff\xd8\xff") ||
    /^GIF8[79]a/.test(head) ||
    /^RIFF.{4}WEBP/s.test(head)
  );
}
