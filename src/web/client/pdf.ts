// Draws a PDF's pages on canvases as they come into view. pdf.js parses in a worker that reaches no network; its
// scripting, forms and links are never loaded, so nothing in the file can act.
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist";
import { startWorker } from "./worker-url.ts";

type PdfJs = typeof import("pdfjs-dist");

/** A document may claim any number of pages; each costs an element. */
const MAX_PAGES = 300;
/** Of one canvas: phones refuse larger ones. */
const MAX_PIXELS = 8_000_000;
/** Of one picture within the file, decoded. */
const MAX_IMAGE_PIXELS = 50_000_000;
/** Few enough requests for 50 MB, small enough for a first page over a slow line. */
const CHUNK_BYTES = 512 * 1024;

for (const box of document.querySelectorAll<HTMLElement>("[data-pdf]")) whenNear(box, () => show(box));

/** Calls once, when the element comes into view or close to it. */
function whenNear(element: Element, then: () => void): void {
  const observer = new IntersectionObserver(
    ([entry]) => {
      if (!entry?.isIntersecting) return;
      observer.disconnect();
      then();
    },
    { rootMargin: "50%" },
  );
  observer.observe(element);
}

async function show(box: HTMLElement): Promise<void> {
  const status = box.querySelector("[data-status]");
  const say = (text: string) => {
    if (status) status.textContent = text;
  };
  say("Opening the PDF…");
  try {
    const pdf = await open(box);
    await addPages(pdf, box);
    const shown = `The first ${MAX_PAGES} of ${pdf.numPages} pages are shown. Download the file to read them all.`;
    say(pdf.numPages > MAX_PAGES ? shown : "");
  } catch (error) {
    console.warn("PDF preview", error);
    const locked = error instanceof Error && error.name === "PasswordException";
    say(
      locked
        ? "This PDF is locked with a password. Download it to open it."
        : "This PDF can’t be shown here. Download it to open it.",
    );
  }
}

async function open({ dataset }: HTMLElement): Promise<PDFDocumentProxy> {
  const { pdf: url = "", library = "", worker = "", decoders = "" } = dataset;
  const pdfjs: PdfJs = await import(library);
  const port = startWorker(worker, { type: "module" });
  const failed = new Promise<never>((_, reject) => {
    port.addEventListener("error", () => reject(new Error("the worker did not start")), { once: true });
  });
  pdfjs.GlobalWorkerOptions.workerPort = port;
  const opened = pdfjs.getDocument({
    url,
    verbosity: pdfjs.VerbosityLevel.ERRORS,
    rangeChunkSize: CHUNK_BYTES,
    disableStream: true,
    disableAutoFetch: true,
    enableXfa: false,
    maxImageSize: MAX_IMAGE_PIXELS,
    // WebAssembly would need a looser content security policy; the decoders exist as plain scripts too.
    useWasm: false,
    wasmUrl: decoders,
  });
  return Promise.race([opened.promise, failed]);
}

async function addPages(pdf: PDFDocumentProxy, box: HTMLElement): Promise<void> {
  // Pages are mostly alike: the first one's shape holds the place of those that are not drawn yet.
  const first = (await pdf.getPage(1)).getViewport({ scale: 1 });
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (target instanceof HTMLElement) turn(pdf, target, isIntersecting);
      }
    },
    { root: box, rootMargin: "100%" },
  );
  for (let number = 1; number <= Math.min(pdf.numPages, MAX_PAGES); number++) {
    const place = document.createElement("div");
    place.className = "pdf-page";
    place.dataset.page = String(number);
    place.style.aspectRatio = `${first.width} / ${first.height}`;
    box.append(place);
    seen.observe(place);
  }
}

/** Draws a page that comes near, and frees the memory of one that has gone far. */
function turn(pdf: PDFDocumentProxy, place: HTMLElement, near: boolean): void {
  if (!near) {
    delete place.dataset.near;
    place.replaceChildren();
    return;
  }
  place.dataset.near = "";
  const number = Number(place.dataset.page);
  draw(pdf, number, place).catch((error: unknown) => {
    console.warn(`PDF preview, page ${number}`, error);
    place.textContent = `Page ${number} can’t be shown.`;
  });
}

async function draw(pdf: PDFDocumentProxy, number: number, place: HTMLElement): Promise<void> {
  const page = await pdf.getPage(number);
  const canvas = document.createElement("canvas");
  const viewport = page.getViewport({ scale: scaleOf(page, place.clientWidth) });
  canvas.width = Math.max(1, Math.floor(viewport.width));
  canvas.height = Math.max(1, Math.floor(viewport.height));
  await page.render({ canvas, viewport }).promise;
  canvas.append(await textOf(page));
  if (place.dataset.near === undefined) return;
  place.style.aspectRatio = `${viewport.width} / ${viewport.height}`;
  place.replaceChildren(canvas);
}

/** Sharp on the screen, and never larger than a canvas may be. */
function scaleOf(page: PDFPageProxy, width: number): number {
  const { width: w, height: h } = page.getViewport({ scale: 1 });
  const wanted = (width * Math.min(devicePixelRatio, 2)) / w;
  return Math.min(wanted, Math.sqrt(MAX_PIXELS / (w * h)));
}

/** A canvas' own content is what screen readers read. */
async function textOf(page: PDFPageProxy): Promise<string> {
  const { items } = await page.getTextContent();
  return items.map((item) => ("str" in item ? `${item.str}${item.hasEOL ? "\n" : ""}` : "")).join("");
}
