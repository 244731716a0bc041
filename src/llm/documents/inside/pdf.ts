import type { PDFPageProxy } from "pdfjs-dist";
import type { Contents } from "../contents.ts";
import type { Work } from "./messages.ts";
import { Refused } from "./refused.ts";

type PdfJs = typeof import("pdfjs-dist");

/** Pages without text cost time too. */
const MAX_PAGES = 2000;

/** The text of its pages, up to the one that goes beyond the bound. Throws Refused, and whatever pdf.js throws. */
export async function readPdf({ bytes, maxCharacters, pdfjs }: Work): Promise<Contents> {
  const { getDocument } = await load(pdfjs);
  const opening = getDocument({
    data: bytes,
    verbosity: 0,
    enableXfa: false,
    useWasm: false,
    useWorkerFetch: false,
    useSystemFonts: false,
    disableFontFace: true,
  });
  try {
    const pdf = await opening.promise;
    const pages: string[] = [];
    let room = maxCharacters + 1;
    for (let number = 1; number <= Math.min(pdf.numPages, MAX_PAGES) && room > 0; number++) {
      const text = await textOf(await pdf.getPage(number), room);
      room -= text.length;
      pages.push(text);
    }
    if (pages.every((page) => page.trim() === "")) throw new Refused("textless");
    const parts = pages.map((text, index) => (pdf.numPages === 1 ? text : `[Page ${index + 1}]\n${text}`));
    return { parts, total: pdf.numPages };
  } catch (error) {
    throw error instanceof Error && error.name === "PasswordException" ? new Refused("locked") : error;
  } finally {
    await opening.destroy();
  }
}

async function load({ library, worker }: Work["pdfjs"]): Promise<PdfJs> {
  // pdf.js asks for the package @napi-rs/canvas, to draw, and would run the one that it finds above the folder which
  // wisbot stands in. Without this it can't, nor can it read files; it warns of that, and of fonts, on stderr.
  Object.assign(process, { getBuiltinModule: undefined });
  Object.assign(globalThis, { fetch: undefined });
  console.warn = () => {};
  // It looks for its parser here before it starts a thread of its own; this is one already.
  Object.assign(globalThis, { pdfjsWorker: await import(worker) });
  return import(library);
}

/** Its beginning: `enough` characters where there are so many. */
async function textOf(page: PDFPageProxy, enough: number): Promise<string> {
  let text = "";
  const reader = page.streamTextContent().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    for (const item of next.value.items) {
      if ("str" in item) text += item.str.replaceAll("\0", "") + (item.hasEOL ? "\n" : "");
    }
    // What is left is not parsed. pdf.js wants a reason that is an error.
    if (text.length >= enough) await reader.cancel(new Error("enough"));
  }
  page.cleanup();
  return text.slice(0, enough);
}
