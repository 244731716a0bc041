import { join } from "node:path";
import { pdfOf, streamOf } from "../pdf.ts";

/** A file to ask about, for whoever has none at hand. */
export interface Sample {
  name: string;
  contentType: string;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** From Ada Lovelace's notes of 1843. */
const LINES = [
  "The Analytical Engine weaves algebraical patterns",
  "just as the Jacquard-loom weaves flowers and leaves.",
];

export const samples: Sample[] = [
  {
    name: "picture.png",
    contentType: "image/png",
    bytes: () => Bun.file(join(import.meta.dir, "samples/picture.png")).bytes(),
  },
  { name: "paper.pdf", contentType: "application/pdf", bytes: async () => paper() },
];

function paper(): Uint8Array<ArrayBuffer> {
  const text = LINES.map((line, index) => `1 0 0 1 60 ${700 - 24 * index} Tm (${line}) Tj`).join("\n");
  const pdf = pdfOf(
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [4 0 R] /Count 1 /MediaBox [0 0 600 800] >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F 3 0 R >> >> >>",
    streamOf(`BT /F 16 Tf\n${text}\nET`),
  );
  return new Uint8Array(pdf);
}
